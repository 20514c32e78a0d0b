"""A client's log: stretches of equally many events, and digests of texts."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.federate.log import ClientLog, open_log
from stream.replay.log import LogRecord
from upwell.errors import LogError
from upwell.events import Topic


def records(kinds: list[bool]) -> list[LogRecord]:
    topics = [Topic.ITEMS if one else Topic.CLICKS for one in kinds]
    return [LogRecord(line, topic, b"k", b"{}") for line, topic in enumerate(topics, 1)]


@given(st.lists(st.booleans(), max_size=40), st.integers(1, 6))
def test_stretches_are_the_log_in_its_order(kinds: list[bool], rounds: int) -> None:
    log, events = ClientLog(records(kinds), "", {}), kinds.count(False)
    if events < rounds:
        with pytest.raises(LogError, match=f"fewer than {rounds} rounds"):
            log.stretches(rounds)
        return
    found = log.stretches(rounds)
    assert [one for part in found for one in part] == list(log.records)
    counts = [sum(one.topic is Topic.CLICKS for one in part) for part in found]
    assert max(counts) - min(counts) <= 1


def item(**told: object) -> dict[str, object]:
    return {
        "topic": "items",
        "key": "x",
        "value": {"item_id": "x", "title": "Film", "ts": 1} | told,
    }


def opened(tmp_path: Path, *lines: object) -> ClientLog:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"\n".join(map(orjson.dumps, lines)))
    return open_log(path)


def test_the_same_item_told_at_another_time_or_price_is_the_same(tmp_path: Path) -> None:
    one = opened(tmp_path, item()).texts
    assert one == opened(tmp_path, item(ts=2, price=3.0, event_id="e")).texts
    assert one != opened(tmp_path, item(title="Shoe")).texts
    assert opened(tmp_path, item(title="Shoe"), item()).texts == one


def test_a_log_that_grew_is_another_and_what_is_no_item_has_no_text(tmp_path: Path) -> None:
    click = {"topic": "clicks", "key": "u", "value": {"event_id": "e"}}
    odd = {"topic": "items", "key": "y", "value": {"item_id": 7}}
    short, longer = opened(tmp_path, item(), click), opened(tmp_path, item(), click, odd)
    assert short.digest != longer.digest
    assert short.texts.keys() == longer.texts.keys() == {"x"}
