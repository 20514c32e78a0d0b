"""A support desk: questions in, the templates that answer them out; what people chose instead is
what it learns from.
"""

from __future__ import annotations

from dataclasses import dataclass

from upwell.errors import InvalidEventError
from upwell.fields import Check, flag, label, listing, text

__all__ = [
    "CHOICE_CHECKS",
    "MOST_EXAMPLES",
    "QUESTION_CHECKS",
    "TEMPLATE_CHECKS",
    "Answer",
    "Choice",
    "Proposal",
    "Question",
    "Suggestion",
    "Template",
    "template_agrees",
]

MOST_EXAMPLES = 100
_ID = label()
_WORDS = text(20_000)

TEMPLATE_CHECKS: dict[str, Check] = {
    "template_id": _ID,
    "title": text(1_000),
    "text": text(20_000, optional=True),
    "examples": listing(text(2_000), MOST_EXAMPLES),
    "deleted": flag,
    "event_id": label(optional=True),
}
QUESTION_CHECKS: dict[str, Check] = {
    "question_id": _ID,
    "user_id": _ID,
    "text": _WORDS,
}
CHOICE_CHECKS: dict[str, Check] = {
    "question_id": _ID,
    "template_id": _ID,
    "by": _ID,
    "event_id": label(optional=True),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """What an answer is made of; a later one of the same `template_id` replaces it, `deleted` takes
    it out. `examples`: questions that it answers.
    """

    template_id: str
    ts: int
    title: str | None = None
    text: str | None = None
    examples: tuple[str, ...] = ()
    deleted: bool = False
    event_id: str | None = None

    @property
    def key(self) -> str:
        """Of its record."""
        return self.template_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A user asks something; the `question_id` is heeded once."""

    question_id: str
    ts: int
    user_id: str
    text: str

    @property
    def key(self) -> str:
        """Of its record."""
        return self.user_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Somebody (`by`) says which template answers a question; a later choice corrects it."""

    question_id: str
    ts: int
    template_id: str
    by: str
    event_id: str | None = None

    @property
    def key(self) -> str:
        """Of its record."""
        return self.question_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A template that may answer. confidence: how likely it is the right one, in [0, 1]. passage:
    the known question, or else the title, that matched.
    """

    template_id: str
    title: str
    text: str
    confidence: float
    passage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """To a question: the best templates, best first. `answers`: the first may go out alone; else
    the question is a person's, who has the suggestions. least: the confidence that this asks for,
    None while too little is known for any. ts: UTC ms, when the broker had the question.
    """

    question_id: str
    user_id: str
    ts: int
    answers: bool
    least: float | None
    suggestions: tuple[Suggestion, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Questions that no template fits and that are alike: a new template would answer them. size:
    different questions so far. examples: those nearest to their middle. It comes again under its
    `proposal_id` when its size has doubled.
    """

    proposal_id: str
    ts: int
    name: str
    size: int
    examples: tuple[str, ...]


def template_agrees(template: Template) -> None:
    """Raises `InvalidEventError` where one that is not taken out has no title."""
    if not template.deleted and template.title is None:
        raise InvalidEventError("missing_field", "title is missing: only a deleted one needs none")
