"""Values in, events or reasons out."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.upwell.strategies import NOW_MS, events
from upwell.errors import InvalidEventError
from upwell.events import Action, Click, Event, Review, Topic
from upwell.schema import event_value, key_of, parse_event, topic_of

TS = 1_700_000_000_000
WHO: dict[str, Any] = {"event_id": "e1", "ts": TS, "user_id": "ann"}
GOOD: dict[Topic, dict[str, Any]] = {
    Topic.ITEMS: {"item_id": "i1", "ts": TS, "title": "Toy Story (1995)"},
    Topic.CLICKS: {**WHO, "item_id": "i1", "action": "click"},
    Topic.REVIEWS: {**WHO, "item_id": "i1", "rating": 4.5},
    Topic.QUERIES: {**WHO, "text": "space opera"},
    Topic.IMPRESSIONS: {**WHO, "list_id": "l1", "item_ids": ["i1", "i2"], "propensities": [0.5, 1]},
    Topic.REQUESTS: {**WHO, "request_id": "r1", "k": 5},
    Topic.CONTROLS: {
        "event_id": "e1",
        "ts": TS,
        "kind": "boost_item",
        "by": "op",
        "why": "season",
        "item_id": "i1",
        "boost": 2,
    },
    Topic.KNOWLEDGE: {
        "ts": TS,
        "kind": "triple",
        "item_id": "i1",
        "relation": "series",
        "value": "Alien",
    },
}
RULE = {"kind": "filter", "rule_id": "r", "item_id": None, "months": [12, 1]}
MERGE = {"kind": "merge_user", "user_id": "ann", "item_id": None, "boost": None, "from_user": "g"}
FORGET = {"kind": "forget_user", "user_id": "ann", "item_id": None, "boost": None}
BAD: list[tuple[Topic, dict[str, Any], str, str]] = [
    (Topic.CLICKS, {"ts": None}, "missing_field", "ts is missing"),
    (
        Topic.CLICKS,
        {"ts": 1_700_000_000},
        "bad_time",
        "looks like seconds (1700000000): Upwell takes UTC milliseconds",
    ),
    (Topic.CLICKS, {"ts": TS * 1_000}, "bad_time", "looks like microseconds"),
    (Topic.CLICKS, {"ts": TS * 1_000_000}, "bad_time", "looks like nanoseconds"),
    (Topic.CLICKS, {"ts": -1}, "bad_time", "before 1970"),
    (Topic.CLICKS, {"ts": -(10**5_000)}, "bad_time", "before 1970"),
    (Topic.CLICKS, {"ts": NOW_MS + 86_400_001}, "bad_time", "24 hours in the future"),
    (Topic.CLICKS, {"ts": 10**5_000}, "bad_time", "in the future"),
    (Topic.CLICKS, {"ts": True}, "wrong_type", "ts is true"),
    (Topic.CLICKS, {"ts": float(TS)}, "wrong_type", "whole number"),
    (Topic.CLICKS, {"ts": "2024-01-01"}, "wrong_type", "ts is a string of 10 characters"),
    (
        Topic.CLICKS,
        {"user_id": 42},
        "wrong_type",
        "user_id is a number, Upwell takes a string: put the number in quotes",
    ),
    (Topic.CLICKS, {"user_id": ""}, "empty", "user_id is empty"),
    (Topic.CLICKS, {"user_id": "a" * 257}, "too_long", "257 characters, at most 256"),
    (Topic.CLICKS, {"user_id": "a\x00b"}, "bad_character", "U+0000"),
    (Topic.CLICKS, {"user_id": "a\ud800"}, "bad_character", "U+D800"),
    (Topic.CLICKS, {"user_id": None}, "missing_field", "user_id is null"),
    (Topic.CLICKS, {"action": "Click"}, "unknown_value", "did you mean click?"),
    (Topic.CLICKS, {"action": "ann@example.org"}, "unknown_value", "a string of 15 characters"),
    (Topic.CLICKS, {"action": 1}, "wrong_type", "one of view, click"),
    (Topic.CLICKS, {"action": "unfollow"}, "unknown_value", "comment, follow, save, unsave, hide"),
    (Topic.CLICKS, {"completion": 0.5}, "unexpected_field", "only play has one"),
    (Topic.CLICKS, {"action": "play", "completion": 1.1}, "out_of_range", "completion"),
    (Topic.CLICKS, {"action": "play", "completion": "1"}, "wrong_type", "completion"),
    (Topic.CLICKS, {"action": "play", "completion": math.nan}, "not_finite", "completion"),
    (Topic.CLICKS, {"dwell_ms": -1}, "out_of_range", "dwell_ms is -1"),
    (Topic.CLICKS, {"position": 1.0}, "wrong_type", "whole number"),
    (
        Topic.REVIEWS,
        {"rating": 11},
        "out_of_range",
        "rating is 11.0, at least 0.5 and at most 5 is right",
    ),
    (Topic.REVIEWS, {"rating": 0}, "out_of_range", "rating is 0"),
    (Topic.REVIEWS, {"rating": math.nan}, "not_finite", "rating is nan"),
    (Topic.REVIEWS, {"rating": math.inf}, "not_finite", "rating is inf"),
    (Topic.REVIEWS, {"rating": "5"}, "wrong_type", "takes a number"),
    (Topic.REVIEWS, {"rating": True}, "wrong_type", "rating is true"),
    (Topic.REVIEWS, {"rating": None}, "missing_field", "at least one"),
    (Topic.REVIEWS, {"rating": None, "text": "  "}, "missing_field", "at least one"),
    (Topic.REVIEWS, {"text": "x" * 20_001}, "too_long", "20,001 characters, at most 20,000"),
    (Topic.REVIEWS, {"text": "half \udc00"}, "bad_character", "U+DC00"),
    (Topic.REVIEWS, {"text": ["no"]}, "wrong_type", "a list of 1"),
    (Topic.QUERIES, {"text": " \n"}, "empty", "no words"),
    (Topic.ITEMS, {"item_id": None}, "missing_field", "item_id"),
    (Topic.ITEMS, {"title": " "}, "empty", "title"),
    (Topic.ITEMS, {"price": -1}, "out_of_range", "price"),
    (Topic.ITEMS, {"price": 10**400}, "out_of_range", "price is 2^"),
    (Topic.ITEMS, {"price": math.inf}, "not_finite", "price"),
    (Topic.ITEMS, {"categories": "Comedy"}, "wrong_type", "takes a list"),
    (Topic.ITEMS, {"categories": ["a"] * 65}, "too_long", "at most 64"),
    (Topic.ITEMS, {"categories": ["a", 3]}, "wrong_type", "categories[1]"),
    (Topic.ITEMS, {"deleted": 1}, "wrong_type", "true or false"),
    (Topic.ITEMS, {"group": 7}, "wrong_type", "group is a number"),
    (Topic.ITEMS, {"group": "g" * 257}, "too_long", "at most 256"),
    (Topic.IMPRESSIONS, {"item_ids": []}, "empty", "at least 1"),
    (Topic.IMPRESSIONS, {"item_ids": ["i"] * 1_001}, "too_long", "at most 1,000"),
    (
        Topic.IMPRESSIONS,
        {"propensities": [0.5]},
        "length_mismatch",
        "propensities has 1 entries and item_ids 2",
    ),
    (Topic.IMPRESSIONS, {"propensities": [0.5, 0]}, "out_of_range", "propensities[1]"),
    (Topic.IMPRESSIONS, {"propensities": [0.5, 1.1]}, "out_of_range", "propensities[1]"),
    (Topic.REQUESTS, {"k": 0}, "out_of_range", "1 to 100"),
    (Topic.REQUESTS, {"k": 101}, "out_of_range", "1 to 100"),
    (Topic.REQUESTS, {"exclude": ["i"] * 10_001}, "too_long", "at most 10,000"),
    (Topic.CONTROLS, {"boost": 10.5}, "out_of_range", "boost"),
    (Topic.CONTROLS, {"boost": None}, "missing_field", "boost is missing"),
    (Topic.CONTROLS, {"item_id": None}, "missing_field", "item_id is missing, boost_item needs it"),
    (Topic.CONTROLS, {"user_id": "ann"}, "unexpected_field", "user_id has no meaning"),
    (Topic.CONTROLS, {"kind": "ban_item"}, "unexpected_field", "boost has no meaning"),
    (
        Topic.CONTROLS,
        {**FORGET, "user_id": None},
        "missing_field",
        "user_id is missing, forget_user needs it",
    ),
    (Topic.CONTROLS, {**FORGET, "item_id": "i1"}, "unexpected_field", "item_id has no meaning"),
    (Topic.CONTROLS, MERGE | {"from_user": None}, "missing_field", "merge_user needs it"),
    (Topic.CONTROLS, MERGE | {"from_user": "ann"}, "unexpected_field", "is of two users"),
    (Topic.CONTROLS, FORGET | {"from_user": "g"}, "unexpected_field", "from_user has no meaning"),
    (Topic.CONTROLS, {"why": None}, "missing_field", "why"),
    (Topic.KNOWLEDGE, {"kind": None}, "missing_field", "kind"),
    (Topic.KNOWLEDGE, {"kind": "fact"}, "unknown_value", "one of triple, filter"),
    (Topic.KNOWLEDGE, {"item_id": ""}, "missing_field", "item_id is missing, triple needs it"),
    (Topic.KNOWLEDGE, {"relation": None}, "missing_field", "relation is missing"),
    (Topic.KNOWLEDGE, {"relation": "r" * 65}, "too_long", "at most 64"),
    (Topic.KNOWLEDGE, {"value": ""}, "missing_field", "object and value are both missing"),
    (Topic.KNOWLEDGE, {"object": "i2"}, "unexpected_field", "not both: send two"),
    (Topic.KNOWLEDGE, {"object": "i1", "value": None}, "unexpected_field", "item_id itself"),
    (Topic.KNOWLEDGE, {"value": 3}, "wrong_type", "put the number in quotes"),
    (Topic.KNOWLEDGE, {"months": [5]}, "unexpected_field", "months has no meaning for triple"),
    (Topic.KNOWLEDGE, {"within": "C"}, "unexpected_field", "within has no meaning for triple"),
    (Topic.KNOWLEDGE, RULE | {"rule_id": None}, "missing_field", "rule_id is missing, filter"),
    (Topic.KNOWLEDGE, RULE | {"months": [13]}, "out_of_range", "months[0] is 13, 1 to 12"),
    (Topic.KNOWLEDGE, RULE | {"months": []}, "empty", "months is an empty list"),
    (Topic.KNOWLEDGE, RULE | {"item_id": "i"}, "unexpected_field", "item_id has no meaning"),
    (Topic.KNOWLEDGE, RULE | {"category": "C"}, "unexpected_field", "not both: send two"),
    (Topic.KNOWLEDGE, RULE | {"value": None}, "missing_field", "value is missing, filter needs it"),
    (
        Topic.KNOWLEDGE,
        RULE | {"relation": None, "value": None},
        "missing_field",
        "category is missing, and so are relation and value",
    ),
    (Topic.KNOWLEDGE, RULE | {"object": "i2"}, "unexpected_field", "object has no meaning"),
]


@pytest.mark.parametrize(("topic", "change", "reason", "detail"), BAD)
def test_bad_fields_are_named_with_what_would_be_right(
    topic: Topic, change: dict[str, Any], reason: str, detail: str
) -> None:
    with pytest.raises(InvalidEventError) as caught:
        parse_event(topic, {**GOOD[topic], **change}, now_ms=NOW_MS)
    assert caught.value.reason == reason
    assert detail in caught.value.detail
    assert "\n" not in caught.value.detail


@pytest.mark.parametrize("topic", GOOD)
def test_good_values_pass_and_unknown_fields_are_kept_out(topic: Topic) -> None:
    event = parse_event(topic, {**GOOD[topic], "colour": {"deep": [1]}}, now_ms=NOW_MS)
    assert topic_of(event) is topic
    assert "colour" not in event_value(event)
    assert event_value(event) == GOOD[topic]


@pytest.mark.parametrize("topic", GOOD)
def test_every_needed_field_is_missed(topic: Topic) -> None:
    for name in GOOD[topic].keys() - {"k", "propensities", "title"}:
        with pytest.raises(InvalidEventError, match=f"missing_field: .*{name}"):
            parse_event(
                topic, {key: one for key, one in GOOD[topic].items() if key != name}, now_ms=NOW_MS
            )


@pytest.mark.parametrize("value", [None, 1, "text", [], True, math.nan])
def test_a_value_that_is_no_object(value: object) -> None:
    with pytest.raises(InvalidEventError, match="not_an_object"):
        parse_event(Topic.CLICKS, value, now_ms=NOW_MS)


def test_topics_that_apps_do_not_write() -> None:
    with pytest.raises(InvalidEventError, match="unknown_topic"):
        parse_event(Topic.RECOMMENDATIONS, {}, now_ms=NOW_MS)


def test_a_name_spelled_otherwise_is_told() -> None:
    with pytest.raises(
        InvalidEventError, match="the field userId is spelled otherwise, rename it user_id"
    ):
        parse_event(
            Topic.QUERIES, {"event_id": "e", "ts": TS, "userId": "ann", "text": "x"}, now_ms=NOW_MS
        )


def test_details_show_no_text_and_no_id_of_a_person() -> None:
    for change in (
        {"text": ["secret"]},
        {"user_id": 4_711},
        {"item_id": {"secret": 1}},
        {"text": "secret" * 9_999},
    ):
        with pytest.raises(InvalidEventError) as caught:
            parse_event(Topic.REVIEWS, {**GOOD[Topic.REVIEWS], **change}, now_ms=NOW_MS)
        assert "secret" not in caught.value.detail
        assert "4711" not in caught.value.detail


def test_empty_optional_text_counts_as_absent_and_whole_ratings_become_floats() -> None:
    event = parse_event(
        Topic.REVIEWS,
        {**GOOD[Topic.REVIEWS], "rating": 4, "text": "", "language": ""},
        now_ms=NOW_MS,
    )
    assert event == Review(**WHO, item_id="i1", rating=4.0)
    assert isinstance(event, Review)
    assert type(event.rating) is float


def test_times_at_the_edges() -> None:
    for ts in (0, 100_000_000_000, NOW_MS + 86_400_000):
        assert parse_event(Topic.CLICKS, {**GOOD[Topic.CLICKS], "ts": ts}, now_ms=NOW_MS).ts == ts


def test_keys_are_the_owner_of_the_state() -> None:
    keys = {
        topic: key_of(parse_event(topic, value, now_ms=NOW_MS)) for topic, value in GOOD.items()
    }
    own = {Topic.ITEMS: "i1", Topic.CONTROLS: "i1", Topic.KNOWLEDGE: "i1"}
    assert keys == {topic: own.get(topic, "ann") for topic in GOOD}
    assert (
        key_of(parse_event(Topic.CONTROLS, {**GOOD[Topic.CONTROLS], **FORGET}, now_ms=NOW_MS))
        == "ann"
    )


def test_event_values_hold_plain_types_alone() -> None:
    value = event_value(Click(**WHO, item_id="i1", action=Action.LIKE))
    assert value == {**WHO, "item_id": "i1", "action": "like"}
    assert type(value["action"]) is str


@given(events())
def test_round_trip(event: Event) -> None:
    assert parse_event(topic_of(event), event_value(event), now_ms=NOW_MS) == event


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)
field_names = sorted(
    {name for value in GOOD.values() for name in value} | {"text", "exclude", "language"}
)


@given(st.sampled_from(list(GOOD)), st.dictionaries(st.sampled_from(field_names), json_values))
def test_any_value_is_an_event_or_an_invalid_event(topic: Topic, change: dict[str, Any]) -> None:
    try:
        event = parse_event(topic, {**GOOD[topic], **change}, now_ms=NOW_MS)
    except InvalidEventError:
        return
    assert parse_event(topic, event_value(event), now_ms=NOW_MS) == event
