"""What the engine's processes say of themselves, and the records that were no events."""

from __future__ import annotations

import orjson

from tests.gateway.served import APP, InMemory, ask
from upwell.codec import dead_letter_value
from upwell.recommendations import DeadLetter
from upwell.system.clock import now_ms

LETTER = DeadLetter(
    reason="not_json",
    detail="the value is no JSON",
    topic="clicks",
    partition=0,
    offset=7,
    raw=b"<script>ann</script>",
    ts=5,
)


def test_figures_are_the_newest_of_each_process_that_speaks() -> None:
    gateway, now = InMemory(), now_ms()
    for one in (
        {"instance": "serve-0", "role": "serve", "at": now, "counts": {"events": 1}},
        {"instance": "serve-0", "role": "serve", "at": now, "counts": {"events": 2}},
        {"instance": "serve-1", "role": "serve", "at": now - 60_000},
        {"instance": "serve-2", "role": "serve", "at": now},
        {"instance": "serve-2", "role": "serve", "at": now, "leaves": True},
        {"instance": "learn", "role": "learn", "at": now, "model_version": "7-a"},
        {"instance": "odd", "role": "serve", "at": "today"},
        ["no record"],
    ):
        gateway.figures.take(orjson.dumps(one))
    gateway.figures.take(b"{")
    answer = ask(gateway, "GET", "/v1/figures", APP).json()
    assert [(one["instance"], one["counts"]) for one in answer["serve"]] == [
        ("serve-0", {"events": 2})
    ]
    assert answer["learn"]["model_version"] == "7-a"


def test_letters_are_an_operators_and_show_no_bytes() -> None:
    gateway = InMemory()
    gateway.letters.take(dead_letter_value(LETTER))
    gateway.letters.take(b"no letter")
    assert ask(gateway, "GET", "/v1/dead-letters", APP).status_code == 403
    answer = ask(gateway, "GET", "/v1/dead-letters")
    [shown] = answer.json()["letters"]
    assert shown == {
        "place": "clicks-0-7",
        "topic": "clicks",
        "reason": "not_json",
        "detail": "the value is no JSON",
        "ts": 5,
        "replayed_at": None,
    }
    assert ask(gateway, "POST", "/v1/dead-letters/clicks-0-7/replay", APP).status_code == 403
