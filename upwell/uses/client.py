"""What the app of a support desk uses: templates, questions and choices in, answers out.

with DeskClient("127.0.0.1:9092") as desk:
    answers = desk.answers(timeout=5)
    desk.ask("ann", "Where is my card?")
    for answer in answers:
        print(answer.suggestions)
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any, TypeVar

from upwell.client import UpwellClient
from upwell.system.clock import now_ms
from upwell.uses.desk import Answer, Choice, Proposal, Question, Template
from upwell.uses.tables import SHAPES, Said, parse_output, topic_of_use
from upwell.uses.topics import UseTopic

__all__ = ["DeskClient", "UseClient"]

S = TypeVar("S", bound=Said)


class UseClient(UpwellClient):
    """An `UpwellClient` that also writes records of other uses. What is sent is checked as the use
    would check it (`InvalidEventError`).
    """

    def write(self, said: S) -> S:
        """Hand a record to the producer; `flush` waits for delivery."""
        topic = topic_of_use(said)
        shape = SHAPES[topic]
        value = shape.value(said)
        shape.read(value, now_ms())
        self._produce(topic, said.key, value)
        return said


class DeskClient(UseClient):
    """Speaks with the support desk (`upwell run --roles desk`)."""

    def template(self, template_id: str, title: str | None = None, **more: Any) -> Template:
        """An answer that there is from now on, in place of the one of this id; with `deleted=True`
        no more.

        more: here and below, other fields of the record, `ts` too.
        """
        given = {"ts": now_ms(), **more}
        return self.write(Template(**given, template_id=template_id, title=title))

    def ask(self, user_id: str, text: str, **more: Any) -> Question:
        """A user asks, now; the answer comes on `answers` with its `question_id`."""
        given = {"ts": now_ms(), "question_id": uuid.uuid4().hex, **more}
        return self.write(Question(**given, user_id=user_id, text=text))

    def choose(self, question_id: str, template_id: str, by: str, **more: Any) -> Choice:
        """Somebody says which template answers a question: the desk learns it."""
        given = {"ts": now_ms(), **more}
        return self.write(Choice(**given, question_id=question_id, template_id=template_id, by=by))

    def answers(
        self, user_id: str | None = None, timeout: float | None = None, from_beginning: bool = False
    ) -> Iterator[Answer]:
        """Answers as they are published, of one user or of all; ends after `timeout` seconds
        without one.

        What is published after this call returned is not missed.
        """
        key = None if user_id is None else user_id.encode()
        records = self._records(UseTopic.ANSWERS, timeout, from_beginning, key)
        return (parse_output(Answer, raw) for raw in records)

    def proposals(
        self, timeout: float | None = None, from_beginning: bool = False
    ) -> Iterator[Proposal]:
        """New templates that the desk proposes, as `answers`."""
        records = self._records(UseTopic.PROPOSALS, timeout, from_beginning, None)
        return (parse_output(Proposal, raw) for raw in records)
