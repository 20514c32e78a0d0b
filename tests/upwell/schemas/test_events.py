"""What a schema takes and what Upwell takes agree, but for what JSON Schema cannot say."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from stream.chain.validate import decode
from tests.upwell.strategies import NOW_MS, events
from upwell.events import Topic
from upwell.recommendations import DeadLetter
from upwell.schema import CHECKS, event_value, topic_of
from upwell.schemas.events import DIALECT, EVENT_TOPICS, event_schema, schema_id

VALIDATORS = {topic: Draft202012Validator(event_schema(topic)) for topic in EVENT_TOPICS}
FIELDS = sorted({"ts", "v", "other", *(name for checks in CHECKS.values() for name in checks)})
ODD: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(
        [
            *(None, True, False, 0, 1, -1, 2, 0.25, 0.5, -0.5, 5.5, 101, 10**11, 10**11 - 1, 2**53),
            *("", " ", "\u2003\x1c", "\ufeff", "a", "a\n", "\n", "a\u2028b", "\x7f", "\U0001f600"),
            *("x" * 256, "x" * 257, "\U0001f600" * 256, "y" * 1_001, "z" * 2_049, "w" * 20_001),
            *([], {}, ["a"], ["a", "b"], ["a", None], [""], [0.5], [0], [0.5, 0.5], ["a"] * 65),
            *("click", "like", "forget_user", "merge_user", "ban_item", "boost_item"),
            *("override", "approve", "withdraw", "tag_user", "ban", "boost", "equals"),
            *("triple", "filter", [1, 12], [13]),
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
)
LEFT_OUT = object()


@st.composite
def values(draw: st.DrawFn) -> tuple[Topic, dict[str, Any]]:
    """Of an event, with up to three fields that are not as it had them."""
    event = draw(events())
    value = event_value(event)
    for name in draw(st.lists(st.sampled_from([*FIELDS, *value]), max_size=3)):
        one = draw(ODD | st.just(LEFT_OUT))
        if one is LEFT_OUT:
            value.pop(name, None)
        else:
            value[name] = one
    return topic_of(event), value


def refused(topic: Topic, value: object) -> str:
    """Upwell's reason; empty where it takes the event."""
    found = decode(topic, 0, 0, orjson.dumps(value), NOW_MS)
    return f"{found.reason}: {found.detail}" if isinstance(found, DeadLetter) else ""


@settings(max_examples=500)
@given(values())
def test_schema_and_upwell_agree(found: tuple[Topic, dict[str, Any]]) -> None:
    topic, value = found
    why = refused(topic, value)
    ahead = why.startswith("bad_time") and value["ts"] > NOW_MS
    never = (
        *("from_user is user_id itself", "until_ts is not after from_ts"),
        "object is item_id itself",
    )
    if ahead or any(one in why for one in never):
        return  # no schema says so, and Upwell before it looks for what else may be wrong
    unsaid = why.startswith("length_mismatch")
    assert VALIDATORS[topic].is_valid(value) == (not why or unsaid), why


@pytest.mark.parametrize(
    ("topic", "more", "why"),
    [
        (Topic.CLICKS, {"position": 1.0}, "wrong_type"),
        (Topic.CLICKS, {"ts": NOW_MS + 10**9}, "bad_time"),
        (Topic.ITEMS, {"price": 2**63}, "out_of_range"),
        (Topic.IMPRESSIONS, {"propensities": [0.5, 0.5]}, "length_mismatch"),
        (Topic.CONTROLS, {"from_user": "u"}, "unexpected_field"),
        (Topic.KNOWLEDGE, {"object": "i"}, "unexpected_field"),
    ],
)
def test_what_json_schema_cannot_say_is_named(topic: Topic, more: dict[str, Any], why: str) -> None:
    fields: dict[Topic, dict[str, Any]] = {
        Topic.CLICKS: {"item_id": "i", "action": "like"},
        Topic.ITEMS: {"item_id": "i", "title": "t"},
        Topic.IMPRESSIONS: {"list_id": "l", "item_ids": ["i"]},
        Topic.CONTROLS: {"kind": "merge_user", "by": "b", "why": "w"},
        Topic.KNOWLEDGE: {"kind": "triple", "item_id": "i", "relation": "r"},
    }
    value = {"event_id": "e", "ts": NOW_MS, "user_id": "u", **fields[topic], **more}
    assert refused(topic, value).startswith(why)
    assert VALIDATORS[topic].is_valid(value)
    words = {"from_user": "from_user is not user_id", "position": "1.0", "price": "64 bits"}
    words |= {"ts": "24 hours", "propensities": "as many entries", "object": "not item_id"}
    [field] = more
    assert words[field] in event_schema(topic)["$comment"]


@pytest.mark.parametrize("topic", EVENT_TOPICS)
def test_a_schema_is_one_and_names_each_field(topic: Topic) -> None:
    schema = event_schema(topic)
    Draft202012Validator.check_schema(schema)
    assert (schema["$schema"], schema["$id"]) == (DIALECT, schema_id(topic))
    assert set(schema["properties"]) == {"ts", "v", *CHECKS[topic]}
    assert schema["description"]
    assert not VALIDATORS[topic].is_valid([])
