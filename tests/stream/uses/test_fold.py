"""One batch, without a broker: what is refused, cleaned, forgotten, and in which order."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from encoders.hashing import HashingEncoder
from stream.chain.privacy import Pseudonymizer
from stream.uses.desk import SupportDesk
from stream.uses.fold import Folded, Row, fold
from upwell.events import Topic
from upwell.uses.topics import UseTopic

NOW = 1_700_000_000_000
NAMES = Pseudonymizer(b"k" * 32)
ENCODER = HashingEncoder(64)
CARD = {"template_id": "card", "title": "Where is my card", "examples": ["my card is late"]}


def row(topic: str, value: dict[str, Any] | bytes, offset: int = 0) -> Row:
    raw = value if isinstance(value, bytes) else orjson.dumps({"ts": NOW, **value})
    return Row(topic, 0, offset, b"key", raw, {}, NOW - 5)


def question(number: int, text: str = "where is my card", user: str = "ann") -> Row:
    asked = {"question_id": f"q{number}", "user_id": user, "text": text}
    return row(UseTopic.QUESTIONS, asked, number)


def folded(use: SupportDesk, *rows: Row) -> Folded:
    return fold(use, ENCODER, NAMES, rows, NOW)


@pytest.fixture
def use() -> SupportDesk:
    one = SupportDesk(64, 0.9)
    assert folded(one, row(UseTopic.TEMPLATES, CARD)).events == 1
    return one


def test_a_question_is_answered_without_what_it_tells_of_anybody(use: SupportDesk) -> None:
    told = folded(use, question(1, "where is my card? write to ann@example.org"))
    [answer] = told.published
    assert (answer.topic, answer.key) == (UseTopic.ANSWERS, "ann")
    assert (answer.value.ts, answer.value.suggestions[0].template_id) == (NOW - 5, "card")
    [asked] = use.desk.pending.values()
    assert (asked.text, asked.by) == (
        "where is my card? write to ⟨email⟩",
        NAMES.pseudonym("ann"),
    )


def test_a_question_that_comes_twice_is_answered_once(use: SupportDesk) -> None:
    told = folded(use, question(1), question(1))
    assert [one.value.question_id for one in told.published] == ["q1"]
    assert folded(use, question(1)).published == []
    assert use.figures()["questions"]["repeated"] == 2


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (row(UseTopic.QUESTIONS, b"\xff"), "not_utf8"),
        (row(UseTopic.QUESTIONS, {"question_id": "q"}), "missing_field"),
        (row(UseTopic.TEMPLATES, {"template_id": "t"}), "missing_field"),
        (
            row(UseTopic.CHOICES, {"question_id": "q", "template_id": "card", "by": "eve"}),
            "unknown_question",
        ),
    ],
)
def test_what_is_none_becomes_a_letter_and_the_rest_goes_on(
    use: SupportDesk, bad: Row, reason: str
) -> None:
    told = folded(use, bad, question(1))
    [letter] = told.letters
    assert (letter.reason, letter.topic, letter.raw, letter.key) == (
        reason,
        bad.topic,
        bad.value,
        b"key",
    )
    assert (letter.appended, letter.ts) == (NOW - 5, NOW)
    assert len(told.published) == 1


def test_a_choice_of_a_template_that_is_not_there_can_be_sent_again(use: SupportDesk) -> None:
    choice = row(UseTopic.CHOICES, {"question_id": "q1", "template_id": "new", "by": "eve"}, 2)
    assert [one.reason for one in folded(use, question(1), choice).letters] == ["unknown_template"]
    new = row(UseTopic.TEMPLATES, {"template_id": "new", "title": "New"})
    assert folded(use, new, choice).letters == []
    assert use.figures()["choices"] == {"right": 0, "other": 1}


def test_the_order_is_that_of_the_rows(use: SupportDesk) -> None:
    """A template that comes behind a question is not among its suggestions."""
    new = row(UseTopic.TEMPLATES, {"template_id": "new", "title": "where is my card"})
    first, second = folded(use, question(1), new, question(2)).published
    assert [one.template_id for one in first.value.suggestions] == ["card"]
    assert {one.template_id for one in second.value.suggestions} == {"card", "new"}


def test_who_is_forgotten_is_gone_from_what_came_before_in_the_batch(use: SupportDesk) -> None:
    forget = {"event_id": "c", "kind": "forget_user", "user_id": "ann", "by": "op", "why": "asked"}
    bad = row(UseTopic.QUESTIONS, {"question_id": "q", "user_id": "ann"}, 5)
    told = folded(
        use, question(1), bad, row(Topic.CONTROLS, forget), question(2), question(3, user="bob")
    )
    assert told.forgotten == 1
    assert told.letters == []
    assert list(use.desk.pending) == ["q2", "q3"]
    assert folded(use, question(4)).forgotten is None


def test_what_was_a_guests_is_forgotten_with_the_user_they_became(use: SupportDesk) -> None:
    merge = {"event_id": "m", "kind": "merge_user", "user_id": "ann", "from_user": "guest"}
    forget = {"event_id": "c", "kind": "forget_user", "user_id": "ann"}
    merge, forget = ({**one, "by": "op", "why": "asked"} for one in (merge, forget))
    asked = [question(1, user="guest"), question(2), question(3, user="bob")]
    told = folded(use, *asked, row(Topic.CONTROLS, merge))
    assert told.forgotten is None
    assert len(use.held(NAMES.pseudonym("ann"))) == 2
    assert use.held(NAMES.pseudonym("guest")) == []
    assert folded(use, row(Topic.CONTROLS, forget)).forgotten == 2
    assert list(use.desk.pending) == ["q3"]


def test_other_controls_are_serves(use: SupportDesk) -> None:
    ban = {"event_id": "c", "kind": "ban_item", "item_id": "i", "by": "op", "why": "w"}
    told = folded(use, row(Topic.CONTROLS, ban), row(Topic.CONTROLS, b"{"))
    assert (told.letters, told.forgotten, told.events) == ([], None, 0)


def test_a_template_that_is_taken_out_answers_nothing(use: SupportDesk) -> None:
    gone = row(UseTopic.TEMPLATES, {"template_id": "card", "deleted": True})
    [answer] = folded(use, gone, question(1)).published
    assert answer.value.suggestions == ()
    assert not answer.value.answers
    assert use.figures()["templates"] == 0
    [again] = folded(use, row(UseTopic.TEMPLATES, CARD), question(2)).published
    assert again.value.suggestions[0].template_id == "card"
