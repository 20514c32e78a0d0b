"""What is counted of each call, and that no caller makes a key of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from gateway.app import CALLS
from gateway.edge.meter import MOST_REASONS, OTHER, UNROUTED, WATCHED, Meter
from stream.metrics.exposition import families
from tests.gateway.served import APP, InMemory, a_list, ask

CLICK = {"topic": "clicks", "user_id": "ann", "item_id": "i1", "action": "click"}


def reported(gateway: InMemory) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(orjson.dumps(gateway.meter.report()))
    return found


def refused(gateway: InMemory) -> dict[str, int]:
    return {reason: count for reason, count in reported(gateway)["refusals"].items() if count}


@pytest.mark.parametrize(
    ("method", "path", "token", "call", "status", "reason"),
    [
        ("GET", "/v1/users/ann/list", APP, "newestList", "200", None),
        ("GET", "/v1/users/bob/list", APP, "newestList", "404", "no_list"),
        ("GET", "/v1/popular?k=0", APP, "popularItems", "422", "out_of_range"),
        ("GET", "/v1/versions", APP, "versions", "403", "not_allowed"),
        ("GET", "/v1/popular", None, UNROUTED, "401", "unauthorized"),
        ("GET", "/nobody/knows", APP, UNROUTED, "404", "no_such_path"),
        ("GET", "/", None, UNROUTED, "200", None),
        ("GET", "/healthz", None, "alive", "200", None),
    ],
)
def test_a_call_is_counted_by_name_and_status(
    method: str, path: str, token: str | None, call: str, status: str, reason: str | None
) -> None:
    gateway = InMemory()
    gateway.newest.put("ann", 1, a_list("ann"))
    ask(gateway, method, path, token)
    told = reported(gateway)
    assert told["requests"] == {call: {status: 1}}
    assert told["request_seconds"][call]["buckets"]["+Inf"] == 1
    assert refused(gateway) == ({} if reason is None else {reason: 1})


def test_events_are_counted_by_what_became_of_them() -> None:
    gateway = InMemory()
    ask(gateway, "POST", "/v1/events", APP, json=[CLICK, CLICK, 5])
    gateway.out.lost = True
    ask(gateway, "POST", "/v1/events", APP, json=CLICK)
    assert reported(gateway)["posted"] == {"accepted": 2, "refused": 1, "not_acknowledged": 1}
    assert refused(gateway) == {"not_acknowledged": 1}


def test_bytes_of_bodies_are_counted_both_ways() -> None:
    gateway = InMemory()
    body = orjson.dumps(CLICK)
    answer = ask(gateway, "POST", "/v1/events", APP, content=body)
    assert reported(gateway)["bytes"] == {"received": len(body), "sent": len(answer.content)}


def test_who_is_limited_is_counted_and_not_named() -> None:
    gateway = InMemory(replace(InMemory().settings, rate=0.5))
    for number in range(3):
        ask(gateway, "GET", f"/v1/users/ann-{number}/list", APP)
    assert refused(gateway)["too_many_requests"] == 2
    told = orjson.dumps(gateway.meter.report())
    assert b"ann" not in told
    assert APP.encode() not in told


def test_what_callers_choose_makes_no_key() -> None:
    gateway = InMemory()
    for number in range(50):
        for method, path in (("GET", f"/x{number}"), ("GET", f"/v1/users/u{number}/list")):
            ask(gateway, method, path, APP)
        ask(gateway, "POST", "/v1/events", APP, json={**CLICK, "topic": f"t{number}"})
    told = reported(gateway)
    assert set(told["requests"]) <= {UNROUTED, *(call.name for call in CALLS)}
    assert set(told["refusals"]) == {*WATCHED, "no_such_path", "no_list", "unknown_topic"}


def test_reasons_are_few_whatever_comes() -> None:
    meter = Meter()
    for number in range(2 * MOST_REASONS):
        meter.answered("x", 422, f"r{number}", 0.0)
    refusals = meter.report()["refusals"]
    assert len(refusals) == MOST_REASONS + 1
    assert refusals[OTHER] == 2 * MOST_REASONS - (MOST_REASONS - len(WATCHED))


def test_the_registry_reads_all_of_it() -> None:
    gateway = InMemory()
    ask(gateway, "POST", "/v1/events", APP, json=[CLICK, 5])
    record = {"instance": "gateway", "role": "gateway", **gateway.meter.report()}
    told = {one.name for one in families(record)}
    assert told == {
        "upwell_worker_info",
        "upwell_gateway_requests",
        "upwell_gateway_request_seconds",
        "upwell_gateway_refusals",
        "upwell_gateway_events",
        "upwell_gateway_received_bytes",
        "upwell_gateway_sent_bytes",
    }
