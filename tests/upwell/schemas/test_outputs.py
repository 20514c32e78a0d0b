"""What Upwell publishes is as its schema says, field by field."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from upwell.codec import confirmation_value, dead_letter_value, recommendations_value
from upwell.events import Topic
from upwell.recommendations import Confirmation, DeadLetter, Entry, Reason, Recommendations
from upwell.schemas.outputs import OUTPUTS, output_schema

VALIDATORS = {topic: Draft202012Validator(output_schema(topic)) for topic in OUTPUTS}
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
numbers = st.integers(0, 2**53)


shares = st.floats(allow_nan=False, allow_infinity=False)
maybe_words = st.none() | words
reasons = st.builds(Reason, signal=words, weight=shares, because=maybe_words)
entries = st.builds(
    Entry,
    item_id=words,
    score=shares,
    reasons=st.lists(reasons, max_size=3).map(tuple),
    title=maybe_words,
    propensity=shares,
    explored=st.booleans(),
)
VALUES: dict[Topic, st.SearchStrategy[bytes]] = {
    Topic.RECOMMENDATIONS: st.builds(
        Recommendations,
        list_id=words,
        user_id=words,
        items=st.lists(entries, max_size=3).map(tuple),
        model_version=words,
        trigger=words,
        covers=st.dictionaries(words, numbers),
        ts=numbers,
        latency_ms=numbers,
    ).map(recommendations_value),
    Topic.CONFIRMATIONS: st.builds(
        Confirmation,
        user_id=words,
        event_id=words,
        removed=st.dictionaries(words, numbers),
        remains=st.lists(words).map(tuple),
        ts=numbers,
    ).map(confirmation_value),
    Topic.DEAD_LETTERS: st.builds(
        DeadLetter,
        reason=words,
        detail=words,
        topic=words,
        partition=numbers,
        offset=numbers,
        raw=st.binary(),
        ts=numbers,
        key=st.none() | st.binary(),
        cut=st.booleans(),
        user=maybe_words,
        appended=st.none() | numbers,
        replayed_at=st.none() | numbers,
    ).map(dead_letter_value),
}


@pytest.mark.parametrize("topic", OUTPUTS)
@given(st.data())
def test_all_that_is_written_is_valid_and_what_lacks_a_field_is_not(
    topic: Topic, data: st.DataObject
) -> None:
    value = orjson.loads(data.draw(VALUES[topic]))
    VALIDATORS[topic].validate(value)
    name = data.draw(st.sampled_from(sorted(value)))
    assert not VALIDATORS[topic].is_valid({one: value[one] for one in value if one != name})
    assert not VALIDATORS[topic].is_valid({**value, name: {"not": ["this"]}})


@pytest.mark.parametrize("topic", OUTPUTS)
def test_a_schema_is_one(topic: Topic) -> None:
    schema = output_schema(topic)
    Draft202012Validator.check_schema(schema)
    assert schema["title"] == OUTPUTS[topic].__name__
    assert set(schema["required"]) == set(schema["properties"])


def test_entries_and_their_reasons_are_told_too() -> None:
    schema = output_schema(Topic.RECOMMENDATIONS)
    assert schema["properties"]["items"] == {"type": "array", "items": {"$ref": "#/$defs/Entry"}}
    entry = schema["$defs"]["Entry"]["properties"]
    assert entry["reasons"]["items"] == {"$ref": "#/$defs/Reason"}
    assert entry["title"] == {"type": ["string", "null"]}
    assert schema["$defs"]["Reason"]["properties"]["because"] == {"type": ["string", "null"]}
