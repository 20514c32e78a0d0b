"""Events by POST: what is accepted is what serve would accept, and 202 is only said of what Kafka
has.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls.events import MOST_EVENTS, check_events, send_events
from gateway.edge.auth import Role
from gateway.edge.meter import Meter
from gateway.edge.refusals import Refused
from stream.chain.validate import decode
from tests.gateway.served import APP, FakeOut, InMemory, ask, until
from tests.upwell.strategies import events as some_events
from upwell.events import Topic
from upwell.partition import partition_of
from upwell.recommendations import DeadLetter
from upwell.schema import event_value, key_of, topic_of

CLICK = {"topic": "clicks", "user_id": "ann", "item_id": "i1", "action": "click"}
NDJSON = {"Content-Type": "application/x-ndjson; charset=utf-8"}
NOW_MS = 1_700_000_000_000


def post(gateway: InMemory, value: Any, **more: Any) -> httpx.Response:
    body = value if isinstance(value, bytes) else orjson.dumps(value)
    return ask(gateway, "POST", "/v1/events", APP, content=body, **more)


def test_one_event_is_keyed_by_its_user_and_stamped() -> None:
    gateway = InMemory()
    answer = post(gateway, CLICK)
    assert answer.status_code == 202
    [parcel] = gateway.out.parcels
    sent = orjson.loads(parcel.value)
    assert (parcel.topic, parcel.key) == (Topic.CLICKS, b"ann")
    assert answer.json() == {"accepted": 1, "event_ids": [sent["event_id"]], "refused": []}
    assert sent.keys() == {"event_id", "ts", "user_id", "item_id", "action"}


def test_an_id_and_a_time_of_ones_own_stay_and_so_do_fields_that_nobody_knows() -> None:
    gateway = InMemory()
    post(gateway, {**CLICK, "event_id": "e1", "ts": NOW_MS, "session": "s7"})
    [parcel] = gateway.out.parcels
    sent = orjson.loads(parcel.value)
    assert (sent["event_id"], sent["ts"], sent["session"]) == ("e1", NOW_MS, "s7")


def test_the_callers_trace_goes_on_with_each_event() -> None:
    gateway = InMemory()
    trace = {"traceparent": f"00-{1:032x}-{2:016x}-01", "tracestate": "a=1"}
    post(gateway, [CLICK, CLICK], headers=trace)
    post(gateway, CLICK)
    post(gateway, CLICK, headers={"traceparent": "x" * 513, "tracestate": ""})
    carried = tuple((name, value.encode()) for name, value in trace.items())
    assert [one.trace for one in gateway.out.parcels] == [carried, carried, (), ()]


def test_a_batch_says_what_was_refused_and_why_and_sends_the_rest() -> None:
    gateway = InMemory()
    answer = post(gateway, [CLICK, {**CLICK, "action": "jump"}, 5, {"topic": "models"}, CLICK])
    assert answer.status_code == 202
    told = answer.json()
    assert told["accepted"] == 2 == len(gateway.out.parcels)
    assert [(one["place"], one["reason"]) for one in told["refused"]] == [
        (1, "unknown_value"),
        (2, "not_an_object"),
        (3, "unknown_topic"),
    ]


def test_lines_are_refused_one_by_one() -> None:
    gateway = InMemory()
    lines = [orjson.dumps(CLICK), b"{bad", b"", b"\xff", orjson.dumps(CLICK), b"\r"]
    answer = post(gateway, b"\n".join(lines), headers=NDJSON)
    assert answer.status_code == 202
    assert [(one["place"], one["reason"]) for one in answer.json()["refused"]] == [
        (1, "bad_json"),
        (2, "not_utf8"),
    ]
    assert len(gateway.out.parcels) == 2


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"", 400, "empty"),
        (b"{", 400, "truncated"),
        (b"[" * 2_000 + b"]" * 2_000, 400, "too_deep"),
        (orjson.dumps(CLICK) + b"\n" + orjson.dumps(CLICK), 400, "bad_json"),
        (b"[]", 422, "empty"),
        (b"7", 422, "not_an_object"),
        (b"[7, 8]", 422, "all_refused"),
        (orjson.dumps({**CLICK, "topic": None}), 422, "missing_field"),
        (orjson.dumps({**CLICK, "topic": ["clicks"]}), 422, "unknown_topic"),
        (orjson.dumps({**CLICK, "topic": "recommendations"}), 422, "unknown_topic"),
        (orjson.dumps({**CLICK, "ts": 5}), 422, "bad_time"),
        (b'{"topic":"clicks","x":' + b"[" * 400 + b"]" * 400 + b"}", 422, "too_deep"),
        (orjson.dumps({**CLICK, "x": "y" * (1 << 20)}), 422, "too_large"),
        (orjson.dumps({"topic": "requests", "user_id": "a", "request_id": "r", "k": 200}), 422,
         "out_of_range"),
    ],
)  # fmt: skip
def test_what_is_no_event_is_told_before_kafka_has_it(
    body: bytes, status: int, reason: str
) -> None:
    gateway = InMemory()
    answer = post(gateway, body)
    assert (answer.status_code, answer.json()["reason"]) == (status, reason)
    assert gateway.out.parcels == []


@pytest.mark.parametrize(("hours", "accepted"), [(23, 1), (25, 0)])
def test_an_apps_clock_may_be_a_day_ahead_of_ours(hours: int, accepted: int) -> None:
    event = {**CLICK, "ts": NOW_MS + hours * 3_600_000}
    checked, faults, _ = check_events(orjson.dumps(event), "", Role.APP, NOW_MS)
    assert (len(checked), [one["reason"] for one in faults]) == (
        accepted,
        [] if accepted else ["bad_time"],
    )


@given(some_events(), st.booleans())
def test_it_accepts_what_serve_accepts_on_the_same_partition(event: Any, alone: bool) -> None:
    value = {**event_value(event), "topic": str(topic_of(event))}
    body = orjson.dumps(value if alone else [value])
    checked, faults, _ = check_events(body, "application/json", Role.OPERATOR, NOW_MS * 2)
    assert faults == []
    [one] = checked
    again = decode(one.parcel.topic, 0, 0, one.parcel.value, NOW_MS * 2)
    assert again == event
    assert partition_of(one.parcel.key, 7) == partition_of(key_of(event).encode(), 7)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
near_events = st.dictionaries(
    st.sampled_from(["event_id", "ts", "user_id", "item_id", "action", "text", "kind", "by", "k"])
    | st.text(max_size=3),
    json_values | st.sampled_from(["click", "ann", NOW_MS, "ban_item"]),
)


@given(st.sampled_from(sorted(str(topic) for topic in Topic)), near_events)
def test_whatever_is_accepted_serve_reads_as_an_event(topic: str, value: dict[str, Any]) -> None:
    body = orjson.dumps([{**value, "topic": topic}])
    checked, faults, _ = check_events(body, "application/json", Role.OPERATOR, NOW_MS)
    assert len(checked) + len(faults) == 1
    for one in checked:
        read = decode(one.parcel.topic, 0, 0, one.parcel.value, NOW_MS)
        assert not isinstance(read, DeadLetter)


def test_more_events_than_one_request_holds_are_refused_whole() -> None:
    gateway = InMemory(replace(InMemory().settings, body_bytes=16 << 20))
    answer = post(gateway, [CLICK] * (MOST_EVENTS + 1))
    assert (answer.status_code, answer.json()["reason"]) == (413, "too_many")
    assert gateway.out.parcels == []


@pytest.mark.parametrize("kind", ["ban_item", "pin_item", "clear_item", "forget_user"])
def test_an_operators_word_needs_an_operator_and_nothing_is_sent_beside_it(kind: str) -> None:
    target = {"user_id": "ann"} if kind == "forget_user" else {"item_id": "i1"}
    word = {"topic": "controls", "kind": kind, "by": "x", "why": "y", **target}
    gateway = InMemory()
    answer = post(gateway, [CLICK, word])
    assert (answer.status_code, answer.json()["reason"]) == (403, "not_allowed")
    assert gateway.out.parcels == []
    assert ask(gateway, "POST", "/v1/events", json=[CLICK, word]).status_code == 202


def test_an_app_says_who_logged_in() -> None:
    gateway = InMemory()
    merge = {"kind": "merge_user", "by": "app", "why": "login", "from_user": "g", "user_id": "a"}
    assert post(gateway, {"topic": "controls", **merge}).status_code == 202
    assert gateway.out.parcels[0].key == b"g"


def test_an_app_says_what_is_so_of_an_item_and_an_operator_what_lists_leave_out() -> None:
    gateway = InMemory()
    triple = {"topic": "knowledge", "kind": "triple", "item_id": "i1", "relation": "series"}
    rule = {"topic": "knowledge", "kind": "filter", "rule_id": "r", "category": "Recalled"}
    answer = post(gateway, triple | {"value": "Alien"})
    assert (answer.status_code, answer.json()["event_ids"]) == (202, [None])
    [sent] = gateway.out.parcels
    assert (sent.topic, sent.key) == ("knowledge", b"i1")
    assert post(gateway, triple).json()["reason"] == "missing_field"
    assert (post(gateway, [CLICK, rule]).status_code, len(gateway.out.parcels)) == (403, 1)
    assert ask(gateway, "POST", "/v1/events", json=[rule]).status_code == 202
    assert gateway.out.parcels[1].key == b"r"


def test_what_kafka_did_not_acknowledge_is_no_202() -> None:
    gateway = InMemory()
    gateway.out.lost = True
    answer = post(gateway, [CLICK, CLICK])
    assert (answer.status_code, answer.json()["reason"]) == (503, "not_acknowledged")
    assert answer.json()["not_acknowledged"] == [0, 1]
    assert answer.headers["retry-after"]


def test_202_waits_for_the_acknowledgement() -> None:
    async def run() -> None:
        gateway = InMemory(out=FakeOut())
        gateway.out.held = True
        body = orjson.dumps(CLICK)
        posted = asyncio.create_task(
            send_events(body, "application/json", Role.APP, NOW_MS, gateway.sender, gateway.meter)
        )
        await until(lambda: bool(gateway.out.waiting), "the event to be handed over")
        assert not posted.done()
        gateway.out.release()
        assert (await posted)["accepted"] == 1

    asyncio.run(run())


def test_refusals_name_a_place_for_each_value_that_is_none() -> None:
    with pytest.raises(Refused) as caught:
        asyncio.run(send_events(b"[1,2]", "", Role.APP, NOW_MS, InMemory().sender, Meter()))
    refused = caught.value.body["refused"]
    assert isinstance(refused, list)
    assert [one["place"] for one in refused] == [0, 1]


@pytest.mark.parametrize("kind", ["override", "approve"])
def test_a_token_with_a_name_overrides_and_approves_in_that_name_alone(kind: str) -> None:
    word = {"topic": "controls", "kind": kind, "override_id": "o", "by": "bob", "why": "y"}
    if kind == "override":
        word |= {"item_id": "i1", "decision": "ban"}

    def posted(who: str | None) -> None:
        check_events(orjson.dumps([CLICK, word]), "application/json", Role.OPERATOR, NOW_MS, who)

    posted("bob")
    posted(None)
    with pytest.raises(Refused) as caught:
        posted("ann")
    assert (caught.value.status, caught.value.body["reason"]) == (403, "not_allowed")
