from __future__ import annotations

from itertools import count
from typing import Any

import numpy as np
import pytest

from encoders.hashing import HashingEncoder
from store.memory import MemoryStore
from stream.chain.publish import TRIGGER_APPENDED, Outgoing
from stream.chain.validate import REASONS
from stream.serve.meter import (
    ITEMS,
    USERS,
    Meter,
    TimedEncoder,
    TimedPictures,
    TimedRanker,
    TimedStore,
)
from tests.stream.chain.chain import NotingRanker
from tests.stream.chain.pictures.shown import Shown
from upwell.events import Topic
from upwell.ports import RankRequest
from upwell.recommendations import DeadLetter
from upwell.values import UserState


@pytest.fixture
def meter() -> Meter:
    """Its clock gives a second more at each look."""
    ticks = count()
    return Meter(lambda: float(next(ticks)))


def sums(report: dict[str, Any]) -> dict[str, tuple[int, float]]:
    """How often, and how much in all, of what was observed."""
    return {
        name: (one["buckets"]["+Inf"], one["sum"])
        for name, one in report.items()
        if one["buckets"]["+Inf"]
    }


def test_a_batch_its_stages_and_how_old_its_lists_are(meter: Meter) -> None:
    listed = [
        Outgoing(
            Topic.RECOMMENDATIONS, b"u", b"{}", headers=((TRIGGER_APPENDED, str(at).encode()),)
        )
        for at in (9_750, 12_000)  # a clock that goes wrong makes no list negative
    ]
    meter.published(USERS, 3, (0.5, 0.25), 10_000, [*listed, Outgoing(Topic.EXAMPLES, None, b"")])
    meter.published(ITEMS, 1, (0.125, 0.5), 10_000, [])
    report = meter.report()
    assert sums(report["batches"]) == {USERS: (1, 3.0), ITEMS: (1, 1.0)}
    assert sums(report["batch_seconds"]) == {USERS: (1, 0.75), ITEMS: (1, 0.625)}
    assert sums(report["stages"]) == {"publish_users": (1, 0.25), "publish_items": (1, 0.5)}
    assert sums({"freshness": report["freshness"]}) == {"freshness": (2, 0.25)}


def test_dead_letters_are_counted_from_nought(meter: Meter) -> None:
    assert meter.report()["dead_letters"] == dict.fromkeys(REASONS, 0)
    letter = DeadLetter(reason="empty", detail="", topic="t", partition=0, offset=0, raw=b"", ts=0)
    meter.refused([letter, letter])
    assert meter.report()["dead_letters"]["empty"] == 2


def test_ports_with_a_watch_do_as_without(meter: Meter) -> None:
    encoder, store = HashingEncoder(8), MemoryStore(8)
    timed, watched = TimedEncoder(encoder, meter, "encode_items"), TimedStore(store, meter)
    assert (timed.dimension, timed.revision) == (encoder.dimension, encoder.revision)
    assert np.array_equal(timed.encode(["a"]), encoder.encode(["a"]))
    state = UserState("u" * 32, np.zeros(8, np.float32), watermark={"clicks-0": 1})
    assert watched.write_users([state]) == []
    assert watched.write_users([state]) == [state.user], "it is stale"
    assert watched.read_users([state.user]) == [state]
    assert watched.write_items([]) == []
    assert watched.read_items([]) == []
    watched.forget_users([state.user])
    assert store.read_users([state.user]) == [None]
    ranker = NotingRanker()
    asked = [RankRequest(state=state, k=2)]
    assert TimedRanker(ranker, meter).rank(asked) == ranker.rank(asked)
    assert TimedRanker(ranker, meter).version == ranker.version
    pictures = Shown()
    shown = TimedPictures(pictures, meter)
    assert (shown.model, shown.revision) == (pictures.model, pictures.revision)
    assert [one.reason for one in shown.look(["a", "no"])] == ["", "missing"]
    assert np.array_equal(shown.placed(None, encoder.encode(["a"])[0]), encoder.encode(["a"])[0])
    assert sums(meter.report()["stages"]) == {
        "pictures": (1, 1.0),
        "encode_items": (1, 1.0),
        "write_users": (2, 2.0),
        "read_users": (1, 1.0),
        "write_items": (1, 1.0),
        "read_items": (1, 1.0),
        "rank": (1, 1.0),
    }
