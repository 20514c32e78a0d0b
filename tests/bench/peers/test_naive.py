from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from qdrant_client import QdrantClient

from bench.peers.naive import NaiveLoop
from encoders.hashing import HashingEncoder

ITEMS: list[dict[str, Any]] = [
    {"item_id": "mars", "title": "robots on mars", "categories": ["space"]},
    {"item_id": "moon", "title": "robots on moon", "categories": ["space"]},
    {"item_id": "farm", "title": "a quiet farm"},
]


@pytest.fixture
def loop() -> Iterator[NaiveLoop]:
    qdrant = QdrantClient(":memory:")
    naive = NaiveLoop(HashingEncoder().encode, qdrant, "test.")
    naive.announce(ITEMS)
    yield naive
    qdrant.close()


def ids(fresh: dict[str, Any]) -> list[str]:
    return [item["item_id"] for item in fresh["items"]]


def test_what_is_near_comes_first_and_what_was_had_does_not_come(loop: NaiveLoop) -> None:
    fresh = loop.recommend({"event_id": "e1", "user_id": "ann", "item_id": "mars", "rating": 5.0})
    assert (fresh["trigger"], ids(fresh)) == ("e1", ["moon", "farm"])


def test_words_count_like_an_item(loop: NaiveLoop) -> None:
    fresh = loop.recommend({"event_id": "e1", "user_id": "ann", "text": "a quiet farm"})
    assert ids(fresh)[0] == "farm"


def test_a_disliked_item_is_had_and_draws_nothing_near(loop: NaiveLoop) -> None:
    disliked = {"event_id": "e1", "user_id": "ann", "item_id": "mars", "rating": 1.0}
    assert ids(loop.recommend(disliked)) == []
    fresh = loop.recommend({"event_id": "e2", "user_id": "ann", "item_id": "farm", "rating": 4.0})
    assert ids(fresh) == ["moon"]


def test_a_second_process_reads_items_from_qdrant(loop: NaiveLoop) -> None:
    again = NaiveLoop(HashingEncoder().encode, loop._qdrant, "test.")
    fresh = again.recommend({"event_id": "e1", "user_id": "ann", "item_id": "mars"})
    assert ids(fresh)[0] == "moon"
