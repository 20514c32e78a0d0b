"""How values become records: `tests/upwell/test_schema.py` holds it for every event; here are the
records of other uses.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upwell.errors import InvalidEventError
from upwell.uses.desk import Question, Template
from upwell.uses.tables import SHAPES
from upwell.uses.topics import UseTopic

NOW = 1_700_000_000_000
ids = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=50).filter(
    lambda one: one.strip() == one
)
words = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=80
).filter(str.strip)


@given(ids, ids, words)
def test_a_question_is_read_as_it_was_written(question_id: str, user_id: str, text: str) -> None:
    shape = SHAPES[UseTopic.QUESTIONS]
    asked = Question(question_id=question_id, ts=NOW, user_id=user_id, text=text)
    assert shape.read(shape.value(asked), NOW) == asked


@given(ids, st.lists(words, max_size=5))
def test_a_template_is_read_as_it_was_written(template_id: str, examples: list[str]) -> None:
    shape = SHAPES[UseTopic.TEMPLATES]
    one = Template(template_id=template_id, ts=NOW, title="Lost card", examples=tuple(examples))
    assert shape.read(shape.value(one), NOW) == one


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"ts": NOW, "question_id": "q", "user_id": "u"}, "missing_field"),
        ({"ts": NOW, "question_id": "q", "user_id": "u", "text": " "}, "empty"),
        ({"ts": NOW, "question_id": 7, "user_id": "u", "text": "t"}, "wrong_type"),
        ({"ts": 5, "question_id": "q", "user_id": "u", "text": "t"}, "bad_time"),
        ({"ts": NOW, "question_id": "q", "user_id": "u", "text": "t", "v": 2}, "unknown_version"),
        ([], "not_an_object"),
    ],
)
def test_what_is_wrong_is_named(value: object, reason: str) -> None:
    with pytest.raises(InvalidEventError) as found:
        SHAPES[UseTopic.QUESTIONS].read(value, NOW)
    assert found.value.reason == reason
