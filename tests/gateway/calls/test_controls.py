"""Operators' words on items over HTTP: who may, what is sent, what stands."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from tests.gateway.served import APP, OPERATOR, InMemory, an_item, ask
from upwell.events import Control, ControlKind, Topic
from upwell.secret import Secret

PATH = "/v1/items/i1/controls"
PIN = {"kind": "pin_item", "by": "ann", "why": "a season"}


@pytest.mark.parametrize(
    "word",
    [PIN, {**PIN, "kind": "ban_item"}, {**PIN, "kind": "boost_item", "boost": -1.5},
     {**PIN, "kind": "clear_item"}],
)  # fmt: skip
def test_a_word_goes_to_kafka_keyed_by_its_item(word: dict[str, Any]) -> None:
    gateway = InMemory()
    answer = ask(gateway, "POST", PATH, json=word)
    assert answer.status_code == 202
    [parcel] = gateway.out.parcels
    sent = orjson.loads(parcel.value)
    assert (parcel.topic, parcel.key) == (Topic.CONTROLS, b"i1")
    assert sent.pop("event_id") == answer.json()["event_id"]
    assert sent.pop("ts") > 0
    assert sent == {**word, "item_id": "i1"}


@pytest.mark.parametrize(
    ("word", "status", "reason"),
    [
        ({"kind": "pin_item", "by": "ann"}, 422, "missing_field"),
        ({"kind": "pin_item", "why": "x"}, 422, "missing_field"),
        ({**PIN, "why": ""}, 422, "empty"),
        ({**PIN, "kind": "forget_user"}, 422, "unknown_value"),
        ({**PIN, "kind": ["pin_item"]}, 422, "unknown_value"),
        ({**PIN, "kind": "boost_item"}, 422, "missing_field"),
        ({**PIN, "kind": "boost_item", "boost": 11}, 422, "out_of_range"),
        ({**PIN, "boost": 1}, 422, "unexpected_field"),
        ({**PIN, "user_id": "bob"}, 422, "unexpected_field"),
    ],
)
def test_what_is_no_word_is_refused_before_kafka_has_it(
    word: dict[str, Any], status: int, reason: str
) -> None:
    gateway = InMemory()
    answer = ask(gateway, "POST", PATH, json=word)
    assert (answer.status_code, answer.json()["reason"]) == (status, reason)
    assert gateway.out.parcels == []


def test_an_item_that_nobody_announced_is_none() -> None:
    answer = ask(InMemory(), "POST", "/v1/items/i2/controls", json=PIN)
    assert (answer.status_code, answer.json()["reason"]) == (404, "unknown_item")


def test_an_app_may_neither_say_nor_see() -> None:
    gateway = InMemory()
    assert ask(gateway, "POST", PATH, APP, json=PIN).status_code == 403
    assert ask(gateway, "GET", "/v1/controls", APP).status_code == 403
    assert gateway.out.parcels == []


@pytest.mark.parametrize(
    ("method", "path", "word"),
    [("POST", PATH, PIN), ("DELETE", "/v1/users/bob?timeout=0&by=ann", None)],
)
def test_whose_token_has_a_name_speaks_in_no_other(method: str, path: str, word: Any) -> None:
    named = replace(InMemory().settings, operator_token=Secret(f"eve:{OPERATOR}"))
    gateway = InMemory(named)
    assert ask(gateway, method, path, json=word).status_code == 202
    assert orjson.loads(gateway.out.parcels[0].value)["by"] == "eve"


def test_what_kafka_did_not_acknowledge_is_no_202() -> None:
    gateway = InMemory()
    gateway.out.lost = True
    answer = ask(gateway, "POST", PATH, json=PIN)
    assert (answer.status_code, answer.json()["reason"]) == (503, "not_acknowledged")


def test_what_stands_is_the_catalogues_with_who_said_so() -> None:
    gateway = InMemory()
    assert ask(gateway, "GET", "/v1/controls").json() == {"items": []}
    gateway.ranks.its_governed = [an_item(pinned=True, boost=2.0)]
    word = Control(
        event_id="e", ts=1, kind=ControlKind.PIN_ITEM, by="ann", why="a season", item_id="i1"
    )
    gateway.words.take(word, 5)
    assert ask(gateway, "GET", "/v1/controls").json() == {
        "items": [
            {
                "item_id": "i1",
                "title": "One",
                "banned": False,
                "blocked": "",
                "pinned": True,
                "boost": 2.0,
                "words": [
                    {"kind": "pin_item", "boost": None, "by": "ann", "why": "a season", "at": 5}
                ],
            }
        ]
    }
