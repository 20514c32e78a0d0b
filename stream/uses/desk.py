"""The support desk as a use: templates, questions and choices to answers and proposals of new
templates. What it learns is `learner.desk`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.desk import state
from learner.desk.desk import Desk, Match, Template
from learner.desk.groups import Offer
from learner.desk.threshold import ABSTAIN
from stream.chain.scrub import scrub
from stream.uses.port import Heard, Published, Refused
from upwell.uses import desk as records
from upwell.uses.shape import Shape
from upwell.uses.tables import SHAPES
from upwell.uses.topics import UseTopic

__all__ = ["MOST_TEMPLATES", "SupportDesk"]

MOST_TEMPLATES = 2_000
_OUTCOMES = ("answered", "handed_over", "repeated")
_DIGITS = 6  # of a confidence that is published


class SupportDesk:
    """dimension: of vectors. target: so many of the answers that go out alone are to be right."""

    name = "desk"
    steps = UseTopic.DESK_STEPS
    inputs: Mapping[UseTopic, Shape] = {
        topic: SHAPES[topic] for topic in (UseTopic.TEMPLATES, UseTopic.QUESTIONS, UseTopic.CHOICES)
    }
    outputs = (UseTopic.ANSWERS, UseTopic.PROPOSALS)

    def __init__(self, dimension: int, target: float) -> None:
        self._dimension = dimension
        self._target = target
        self.desk = Desk(dimension, target)
        self._counts: Counter[str] = Counter()

    def clean(self, event: Any) -> Any:
        """As `Use.clean`: a template is public, a question may name anybody."""
        return replace(event, text=scrub(event.text)) if type(event) is records.Question else event

    def texts(self, event: Any) -> Sequence[str]:
        """As `Use.texts`."""
        match event:
            case records.Template(deleted=False):
                return (_own(event), *event.examples)
            case records.Question():
                return () if event.question_id in self.desk.pending else (event.text,)
            case _:
                return ()

    def take(self, heard: Heard) -> Iterator[Published | Refused]:
        """As `Use.take`."""
        match heard.event:
            case records.Template():
                yield from self._put(heard.event, heard.vectors)
            case records.Question():
                yield from self._ask(heard)
            case records.Choice():
                yield from self._choose(heard.event)

    def idle(self, now_ms: int) -> tuple[Published, ...]:
        """As `Use.idle`: nothing."""
        return ()

    def forget(self, by: str) -> int:
        """As `Use.forget`."""
        return self.desk.forget(by)

    def merge(self, guest: str, by: str) -> None:
        """As `Use.merge`."""
        self.desk.rename(guest, by)

    def held(self, by: str) -> Sequence[Mapping[str, Any]]:
        """As `Use.held`: questions, and what was chosen for them."""
        return [
            {"question_id": question_id, "text": text, "template_id": template_id}
            for question_id, (text, template_id) in self.desk.held(by).items()
        ]

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """As `Use.arrays`."""
        return state.arrays_of(self.desk)

    def meta(self) -> Mapping[str, Any]:
        """As `Use.meta`."""
        return {**state.meta_of(self.desk), "counts": dict(self._counts)}

    def restore(self, arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]) -> None:
        """As `Use.restore`."""
        self.desk = state.restored(self._dimension, self._target, arrays, meta)
        self._counts = Counter(meta["counts"])

    def figures(self) -> Mapping[str, Any]:
        """As `Use.figures`."""
        return {
            "questions": {
                one: self._counts[one] for one in ("answered", "handed_over", "repeated")
            },
            "choices": {one: self._counts[one] for one in ("right", "other")},
            "proposals": self._counts["proposals"],
            "templates": int(self.desk.allowed.sum()),
            "remembered": len(self.desk.pending),
        }

    def _put(self, template: records.Template, vectors: NDArray[np.float32]) -> Iterator[Refused]:
        if template.deleted:
            self.desk.withdraw(template.template_id)
            return
        known = any(one.template_id == template.template_id for one in self.desk.templates)
        if not known and len(self.desk.templates) >= MOST_TEMPLATES:
            yield Refused(
                "templates_full",
                f"there are {MOST_TEMPLATES:,} templates, those taken out among them: change one "
                "of them instead",
            )
            return
        own = Template(
            template.template_id, template.title or "", template.text or "", template.examples
        )
        self.desk.put(own, vectors[0], vectors[1:])

    def _ask(self, heard: Heard) -> Iterator[Published]:
        asked = heard.event
        if not len(heard.vectors) or asked.question_id in self.desk.pending:
            self._counts["repeated"] += 1
            return
        told = self.desk.ask(asked.question_id, asked.text, heard.by, heard.vectors[0])
        self._counts["answered" if told.answers else "handed_over"] += 1
        answer = records.Answer(
            question_id=asked.question_id,
            user_id=asked.user_id,
            ts=heard.at_ms,
            answers=told.answers,
            least=None if told.least == ABSTAIN else round(told.least, _DIGITS),
            suggestions=tuple(map(self._suggestion, told.matches)),
        )
        yield Published(UseTopic.ANSWERS, asked.user_id, answer)
        if told.offer is not None:
            self._counts["proposals"] += 1
            yield _proposal(told.offer, heard.at_ms)

    def _choose(self, choice: records.Choice) -> Iterator[Refused]:
        asked = self.desk.pending.get(choice.question_id)
        unknown = self.desk.choose(choice.question_id, choice.template_id)
        if unknown is not None:
            yield Refused(*_UNKNOWN[unknown])
            return
        assert asked is not None, "else the question is unknown"
        if asked.chosen < 0:
            first = self.desk.templates[asked.first].template_id if asked.first >= 0 else None
            self._counts["right" if first == choice.template_id else "other"] += 1

    def _suggestion(self, match: Match) -> records.Suggestion:
        template = self.desk.template(match.template_id)
        return records.Suggestion(
            template_id=match.template_id,
            title=template.title,
            text=template.text,
            confidence=round(match.confidence, _DIGITS),
            passage=match.passage,
        )


_UNKNOWN = {
    "question": (
        "unknown_question",
        "no question of this question_id waits for a choice (the last 10,000 do): send it after "
        "the question",
    ),
    "template": (
        "unknown_template",
        "there is no template of this template_id: send it to templates, then replay this letter",
    ),
}


def _own(template: records.Template) -> str:
    return "\n".join(filter(None, (template.title, template.text)))


def _proposal(offer: Offer, at_ms: int) -> Published:
    proposal_id = f"group-{offer.group}"
    said = records.Proposal(
        proposal_id=proposal_id,
        ts=at_ms,
        name=offer.name,
        size=offer.size,
        examples=offer.examples,
    )
    return Published(UseTopic.PROPOSALS, proposal_id, said)
