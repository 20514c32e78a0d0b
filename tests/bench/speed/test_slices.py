from __future__ import annotations

from collections.abc import Sequence

import orjson
import pytest

from bench.speed.slices import bulk_items, cut, passes, with_texts
from stream.chain.validate import decode
from stream.replay.log import LogRecord
from upwell.events import Item, Topic

WORDS = ["space", "robots", "farm"]


def line(topic: Topic, item: str) -> LogRecord:
    return LogRecord(1, topic, b"k", orjson.dumps({"item_id": item}))


def ids(lines: Sequence[LogRecord]) -> list[str]:
    return [orjson.loads(one.value)["item_id"] for one in lines]


def test_items_that_the_events_are_on_come_first() -> None:
    log = [line(Topic.ITEMS, name) for name in "abcd"]
    log += [line(Topic.REVIEWS, "c"), line(Topic.CONTROLS, "b"), line(Topic.REVIEWS, "d")]
    found = cut(log, events=1, items=2)
    assert (ids(found.items), ids(found.events)) == (["c", "a"], ["c"])


def test_no_event_is_in_two_passes() -> None:
    events = [line(Topic.REVIEWS, str(n)) for n in range(5)]
    assert [ids(part) for part in passes(events, 2, 2)] == [["0", "1"], ["2", "3"]]
    with pytest.raises(ValueError, match="need 6: 5"):
        passes(events, 3, 2)


def test_texts_have_the_wanted_length_and_come_by_seed() -> None:
    events = [line(Topic.REVIEWS, str(n)) for n in range(200)]
    found = with_texts(events, 0.1, 60, WORDS, seed=7)
    texts = [text for one in found if (text := orjson.loads(one.value).get("text"))]
    assert 5 <= len(texts) <= 40
    assert {len(text.split()) for text in texts} == {60}
    assert found == with_texts(events, 0.1, 60, WORDS, seed=7)
    assert found != with_texts(events, 0.1, 60, WORDS, seed=8)


def test_each_seed_makes_items_of_its_own() -> None:
    first, second = (ids(list(bulk_items(3, WORDS, seed))) for seed in (1, 2))
    assert len({*first, *second}) == 6


def test_bulk_items_are_events_that_the_stream_takes() -> None:
    for number, one in enumerate(bulk_items(3, WORDS, seed=1)):
        assert isinstance(decode(one.topic, 0, number, one.value, 1 << 53), Item)
