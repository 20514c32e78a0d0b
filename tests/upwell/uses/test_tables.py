"""Every topic of the other uses has its record; what Upwell publishes is read again."""

from __future__ import annotations

import orjson
import pytest

from upwell.errors import InvalidEventError
from upwell.events import Topic
from upwell.uses.desk import Answer, Choice, Proposal, Question, Suggestion, Template
from upwell.uses.tables import OUTPUTS, SHAPES, parse_output, topic_of_use
from upwell.uses.topics import UseTopic

NOW = 1_700_000_000_000


def test_each_topic_is_written_read_or_a_uses_own() -> None:
    own = {one for one in UseTopic if one.endswith("_steps")}
    assert set(UseTopic) == {*SHAPES, *OUTPUTS, *own}
    assert not set(map(str, UseTopic)) & set(map(str, Topic))


def test_a_record_knows_its_topic_and_key() -> None:
    asked = Question(question_id="q", ts=NOW, user_id="ann", text="where?")
    chosen = Choice(question_id="q", ts=NOW, template_id="t", by="eve")
    answer = Template(template_id="t", ts=NOW, title="here")
    assert [(topic_of_use(one), one.key) for one in (asked, chosen, answer)] == [
        (UseTopic.QUESTIONS, "ann"),
        (UseTopic.CHOICES, "q"),
        (UseTopic.TEMPLATES, "t"),
    ]


def test_what_is_published_is_read_again() -> None:
    some = Suggestion(template_id="t", title="T", text="", confidence=0.5, passage="p")
    answer = Answer(
        question_id="q", user_id="u", ts=NOW, answers=False, least=None, suggestions=(some, some)
    )
    assert parse_output(Answer, orjson.dumps(answer)) == answer
    newer = orjson.dumps({**orjson.loads(orjson.dumps(answer)), "added": 1})
    assert parse_output(Answer, newer) == answer
    told = Proposal(proposal_id="group-1", ts=NOW, name="n", size=5, examples=("a", "b"))
    assert parse_output(Proposal, orjson.dumps(told)) == told


@pytest.mark.parametrize("raw", [b"", b"[]", b"7", b"{}", b'{"question_id":"q"}'])
def test_what_is_none_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidEventError, match="no Answer"):
        parse_output(Answer, raw)


def test_a_template_needs_a_title_unless_it_is_taken_out() -> None:
    shape = SHAPES[UseTopic.TEMPLATES]
    with pytest.raises(InvalidEventError, match="title is missing"):
        shape.read({"template_id": "t", "ts": NOW}, NOW)
    assert shape.read({"template_id": "t", "ts": NOW, "deleted": True}, NOW).deleted
