"""The page's files, and the calls that it makes of the engine."""

from __future__ import annotations

import re
from pathlib import Path

import orjson
import pytest

from gateway.page import PAGE_PATHS
from tests.gateway.served import APP, InMemory, ask
from upwell.codec import dead_letter_value
from upwell.recommendations import DeadLetter
from upwell.system.clock import now_ms

STATIC = Path(__file__).parents[2] / "gateway" / "static"
LETTER = DeadLetter(
    reason="not_json",
    detail="the value is no JSON",
    topic="clicks",
    partition=0,
    offset=7,
    raw=b"<script>ann</script>",
    ts=5,
)


@pytest.mark.parametrize("path", sorted(PAGE_PATHS))
def test_it_is_read_without_a_token_and_may_load_nothing_of_others(path: str) -> None:
    answer = ask(InMemory(), "GET", path, None)
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_it_needs_nothing_from_elsewhere_and_writes_no_markup_of_others() -> None:
    for file in STATIC.iterdir():
        text = file.read_text(encoding="utf-8")
        assert not re.findall(r"(?:src|href|from|url)\s*[=(]?\s*[\"']https?:", text)
        assert "innerHTML" not in text
        assert "insertAdjacentHTML" not in text


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
