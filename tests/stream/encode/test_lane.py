"""What an encode worker answers; the loop around it runs in test_posting.py and tests/e2e."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encoders import Gently
from encoders.hashing import HashingEncoder
from stream.encode.asking import AGAIN_SECONDS
from stream.encode.lane import STALE_MS, replies
from stream.encode.wire import Asked
from tests.stream.encode.posts import ENCODER, NOW_MS, VECTORS, One, record
from upwell.errors import SettingsError
from upwell.ports import Encoder
from upwell.values import Vector


class Laned(HashingEncoder):
    """Notes what came by which lane."""

    def __init__(self, bulk: Laned | None = None) -> None:
        super().__init__(16)
        self.calls: list[list[str]] = []
        self.bulk = bulk

    def in_bulk(self, gently: Gently = None) -> Encoder:
        assert self.bulk is not None
        return self.bulk

    def encode(self, texts: Sequence[str]) -> Vector:
        self.calls.append(list(texts))
        return super().encode(texts)


class Two:
    """Models by any name of one letter."""

    def __init__(self) -> None:
        self.models: dict[str, Laned] = {}

    def of(self, vectors: str) -> Laned:
        return self.models.setdefault(vectors, Laned())


@given(st.lists(st.tuples(st.text(max_size=10), st.sampled_from("ab"), st.integers(0, 9))))
def test_each_text_is_answered_where_it_is_waited_for_and_each_model_is_called_once(
    asked: list[tuple[str, str, int]],
) -> None:
    texts = [Asked(*one) for one in asked]
    models, counts = Two(), Counter[str]()
    found = replies([record(one) for one in texts], models, False, counts, NOW_MS)
    told = Counter((one.answer.key, one.answer.encoder, one.to) for one in found)
    assert told == Counter((one.key, one.encoder, one.to) for one in texts)
    assert all(len(one.calls) == 1 for one in models.models.values())
    expected = {one.key: ENCODER.encode([one.text])[0] for one in texts}
    for one in found:
        np.testing.assert_array_equal(one.answer.vector, expected[one.answer.key])
    assert counts == Counter(texts=len(texts))


@pytest.mark.parametrize("bulk", [False, True])
def test_items_texts_go_by_the_lane_that_gives_way(bulk: bool) -> None:
    behind = Laned()
    front = Laned(behind)
    replies([record(Asked("t", VECTORS, 0))], One(front), bulk, Counter(), NOW_MS)
    assert (front.calls, behind.calls) == (([], [["t"]]) if bulk else ([["t"]], []))


def test_what_is_no_text_is_passed_over_said_and_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING, "upwell.encode")
    counts: Counter[str] = Counter()
    good = Asked("a", VECTORS, 1)
    others: list[dict[str, Any]] = [{"headers": None}, {"value": None}, {"headers": [("v", b"2")]}]
    junk = [record(good, **one) for one in others]
    found = replies([junk[0], record(good), *junk[1:]], One(), False, counts, NOW_MS)
    assert [one.answer.key for one in found] == [good.key]
    assert counts == {"unreadable": 3, "texts": 1}
    assert all("texts, offset 7: a record is not" in one.getMessage() for one in caplog.records)


def test_another_encoder_is_refused_unless_nobody_waits_any_more() -> None:
    other, own = Asked("a", "other", 1), Asked("b", VECTORS, 1)
    counts: Counter[str] = Counter()
    fresh = [record(own), record(other, age_ms=STALE_MS + 1), record(other)]
    with pytest.raises(SettingsError, match="asked for other"):
        replies(fresh, One(), False, counts, NOW_MS)
    found = replies(fresh[:2], One(), False, counts, NOW_MS)
    assert [one.answer.key for one in found] == [own.key]
    assert counts["stale"] == 1
    assert STALE_MS > 2 * AGAIN_SECONDS * 1000, "who waits has asked again before"
