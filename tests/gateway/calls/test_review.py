"""The queue over HTTP: who may, what is shown of it, what is sent, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.chain.overrides.ledger import Kept
from stream.ops.review.queue import Reason, override_id_of
from tests.gateway.served import APP, OPERATOR, InMemory, ask
from tests.gateway.test_openapi import answer_schema, check
from tests.gateway.test_review import NOW, ROW, decided
from upwell.events import Decision, Topic
from upwell.secret import Secret

PATH = "/v1/review/i1/decisions"
BAN = {"decision": "ban", "by": "ann", "why": "many speak against it"}
ODD = "<b>ü</b>/decisions?x=1"
ROWS = [
    ROW,
    replace(ROW, item_id=ODD, title="<script>", reasons=(Reason.DRIFTING, Reason.LOW_CONFIDENCE)),
    *(replace(ROW, item_id=f"i{n}", title=None) for n in range(2, 40)),
]


def test_it_is_shown_in_pages_as_the_document_says() -> None:
    gateway = InMemory(rows=ROWS)
    first = ask(gateway, "GET", "/v1/review").json()
    check(first, answer_schema("GET", "/v1/review", 200))
    assert (first["total"], first["hours"], len(first["items"])) == (40, 24, 20)
    assert first["items"][0] == {
        "item_id": "i1", "title": "One", "reasons": ["reported"],
        "why": ["4 users speak against it"], "since": NOW - 5, "against": 4, "now": 0,
        "before": 1, "drift": -0.5, "shown": 7, "announced": None, "like": None,
        "decided": None,
    }  # fmt: skip
    assert first["items"][1]["title"] == "<script>"
    pages = [
        ask(gateway, "GET", f"/v1/review?hours=5&k=15&skip={skip}").json()["items"]
        for skip in (0, 15, 30, 45)
    ]
    assert [one["item_id"] for page in pages for one in page] == [one.item_id for one in ROWS]
    assert gateway.looks == [24, 5]


@pytest.mark.parametrize(
    "query",
    ["k=0", "k=101", "k=x", "hours=0", "hours=721", "hours=1.5", "skip=-1", "skip=1000001",
     "decided=maybe"],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(query: str) -> None:
    gateway = InMemory(rows=ROWS)
    assert ask(gateway, "GET", f"/v1/review?{query}").status_code == 422
    assert gateway.looks == []


def test_what_is_decided_is_left_out_and_what_waits_is_not() -> None:
    gateway = InMemory(rows=[ROW, replace(ROW, item_id="i2"), replace(ROW, item_id="i3")])
    gateway.kept[override_id_of("i1")] = Kept(seq=0, standing=decided("i1"))
    gateway.kept[override_id_of("i2")] = Kept(seq=0, waiting=decided("i2"), needs=2)
    found = ask(gateway, "GET", "/v1/review").json()
    check(found, answer_schema("GET", "/v1/review", 200))
    assert [one["item_id"] for one in found["items"]] == ["i2", "i3"]
    assert found["total"] == 2
    waits = found["items"][0]["decided"]
    assert (waits["state"], waits["needs"], waits["approved_by"]) == ("waits", 2, [])
    every = ask(gateway, "GET", "/v1/review?decided=true").json()
    assert [one["item_id"] for one in every["items"]] == ["i1", "i2", "i3"]
    one = ask(gateway, "GET", "/v1/review/i1").json()
    check(one, answer_schema("GET", "/v1/review/{item_id}", 200))
    assert (one["decided"]["state"], one["decided"]["why"]) == ("in_force", "seen")


def test_one_item_has_its_path_whatever_its_id() -> None:
    gateway = InMemory(rows=ROWS)
    found = ask(gateway, "GET", "/v1/review/%3Cb%3E%C3%BC%3C%2Fb%3E%2Fdecisions%3Fx%3D1")
    assert (found.status_code, found.json()["item_id"]) == (200, ODD)
    none = ask(gateway, "GET", "/v1/review/none")
    assert (none.status_code, none.json()["reason"]) == (404, "not_in_queue")


@pytest.mark.parametrize(
    "word",
    [
        BAN, {**BAN, "decision": "keep"}, {**BAN, "decision": "pin"},
        {**BAN, "decision": "demote", "boost": 2.5}, {**BAN, "decision": "boost", "boost": 1},
    ],
)  # fmt: skip
def test_a_decision_goes_to_kafka_keyed_by_its_override(word: dict[str, Any]) -> None:
    gateway = InMemory()
    answer = ask(gateway, "POST", f"{PATH}?timeout=0", json={**word, "days": 2})
    assert answer.status_code == 202
    [parcel] = gateway.out.parcels
    sent = orjson.loads(parcel.value)
    assert (parcel.topic, parcel.key) == (Topic.CONTROLS, b"review:i1")
    assert sent.pop("event_id") == answer.json()["event_id"]
    assert sent.pop("until_ts") - sent.pop("ts") == 2 * 86_400_000
    assert sent == {**word, "kind": "override", "override_id": "review:i1", "item_id": "i1"}


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ({"decision": "ban", "by": "ann"}, "missing_field"),
        ({"decision": "ban", "why": "x"}, "missing_field"),
        ({**BAN, "why": ""}, "empty"),
        ({**BAN, "by": 7}, "wrong_type"),
        ({**BAN, "decision": "forget"}, "unknown_value"),
        ({**BAN, "decision": ["ban"]}, "unknown_value"),
        ({**BAN, "decision": "demote"}, "missing_field"),
        ({**BAN, "decision": "demote", "boost": -1}, "out_of_range"),
        ({**BAN, "decision": "demote", "boost": 11}, "out_of_range"),
        ({**BAN, "boost": 1}, "unexpected_field"),
        ({**BAN, "user_id": "bob"}, "unexpected_field"),
        ({**BAN, "days": 0}, "out_of_range"),
        ({**BAN, "days": 1e9}, "out_of_range"),
        ({**BAN, "days": True}, "wrong_type"),
        ({**BAN, "days": "2"}, "wrong_type"),
        ({**BAN, "seen": 5}, "wrong_type"),
        ([BAN], "not_an_object"),
    ],
)
def test_what_is_no_decision_is_refused_before_kafka_has_it(word: Any, reason: str) -> None:
    gateway = InMemory()
    answer = ask(gateway, "POST", PATH, json=word)
    assert (answer.status_code, answer.json()["reason"]) == (422, reason)
    assert gateway.out.parcels == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(-1e9, 1e9)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)  # fmt: skip
FIELDS = st.sampled_from(["decision", "why", "by", "boost", "days", "seen", "item_id"])


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(FIELDS, JSON), st.booleans())
def test_nothing_that_is_said_is_a_fault_of_the_gateway(word: Any, whole: bool) -> None:
    gateway = InMemory()
    answer = ask(gateway, "POST", f"{PATH}?timeout=0", json={**BAN, **word} if whole else word)
    assert answer.status_code in (202, 409, 422), answer.text
    assert (answer.status_code == 202) == bool(gateway.out.parcels)


def test_an_item_that_nobody_knows_is_none_and_one_of_the_queue_is_one() -> None:
    gateway = InMemory(rows=[replace(ROW, item_id="never announced")])
    none = ask(gateway, "POST", "/v1/review/i2/decisions", json=BAN)
    assert (none.status_code, none.json()["reason"]) == (404, "unknown_item")
    assert gateway.out.parcels == []
    path = "/v1/review/never%20announced/decisions?timeout=0"
    assert ask(gateway, "POST", path, json=BAN).status_code == 202


@pytest.mark.parametrize("waits", [False, True])
def test_nobody_overrules_what_they_have_not_seen(waits: bool) -> None:
    gateway = InMemory()
    made = decided(event_id="e2", by="bob")
    both = Kept(seq=0, standing=decided(), waiting=made, needs=1)
    gateway.kept[override_id_of("i1")] = both if waits else Kept(seq=0, standing=made)
    for seen in (None, "e"):
        answer = ask(gateway, "POST", PATH, json={**BAN, "seen": seen})
        assert (answer.status_code, answer.json()["reason"]) == (409, "decided_meanwhile")
        assert answer.json()["decided"]["event_id"] == "e2"
        assert "bob decided meanwhile" in answer.json()["detail"]
    assert gateway.out.parcels == []
    assert ask(gateway, "POST", f"{PATH}?timeout=0", json={**BAN, "seen": "e2"}).status_code == 202
    gateway.kept.clear()
    gone = ask(gateway, "POST", PATH, json={**BAN, "seen": "e2"})
    assert (gone.status_code, gone.json()["decided"]) == (409, None)
    assert ask(gateway, "POST", f"{PATH}?timeout=0", json={**BAN, "seen": None}).status_code == 202


def test_an_app_may_neither_see_nor_decide() -> None:
    gateway = InMemory(rows=ROWS)
    for method, path in (("GET", "/v1/review"), ("GET", "/v1/review/i1"), ("POST", PATH)):
        assert ask(gateway, method, path, APP, json=BAN).status_code == 403
        assert ask(gateway, method, path, None, json=BAN).status_code == 401
    assert (gateway.out.parcels, gateway.looks) == ([], [])


def test_whose_token_has_a_name_decides_in_no_other() -> None:
    named = replace(InMemory().settings, operator_token=Secret(f"eve:{OPERATOR}"))
    gateway = InMemory(named)
    assert ask(gateway, "POST", f"{PATH}?timeout=0", json=BAN).status_code == 202
    assert orjson.loads(gateway.out.parcels[0].value)["by"] == "eve"


def test_what_cannot_be_read_or_was_not_acknowledged_is_a_503() -> None:
    gateway = InMemory(unreadable="no broker")
    answer = ask(gateway, "GET", "/v1/review")
    assert (answer.status_code, answer.json()["reason"]) == (503, "not_read")
    gateway.out.lost = True
    answer = ask(gateway, "POST", PATH, json=BAN)
    assert (answer.status_code, answer.json()["reason"]) == (503, "not_acknowledged")
    early = ask(InMemory(warming="still reading"), "GET", "/v1/review")
    assert (early.status_code, early.json()["reason"]) == (503, "not_ready")


def test_every_decision_that_there_is_can_be_said() -> None:
    schema = ask(InMemory(), "GET", "/openapi.json").json()["paths"]
    body = schema["/v1/review/{item_id}/decisions"]["post"]["requestBody"]
    said = body["content"]["application/json"]["schema"]["properties"]["decision"]["enum"]
    assert said == [str(one) for one in Decision]
