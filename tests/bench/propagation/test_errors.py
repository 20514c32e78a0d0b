"""The bench of errors, on items whose texts say their kind."""

from __future__ import annotations

import numpy as np
import orjson
import pytest

from bench.prequential import Log
from bench.propagation.errors import behaviour, by_neighbours, labels
from bench.propagation.labels import hidden
from bench.propagation.texts import Items
from stream.replay.log import LogRecord
from upwell.events import Topic

ITEMS = 80


def corners() -> tuple[Items, np.ndarray, np.ndarray]:
    """Texts that say little of the kind, and the same with the kind in them."""
    rng = np.random.default_rng(7)
    of = rng.integers(2, size=ITEMS)
    bare = np.eye(2, 6)[of] + rng.normal(0.0, 0.6, (ITEMS, 6))
    full = bare + 4 * np.eye(2, 6)[of]
    bare, full = (
        (one / np.linalg.norm(one, axis=1, keepdims=True)).astype(np.float32)
        for one in (bare, full)
    )
    names = [str(one) for one in range(ITEMS)]
    return Items(names, ["a", "b"], np.eye(2, dtype=np.bool_)[of]), full, bare


def test_labels_in_the_text_promise_more_than_is_kept() -> None:
    items, full, bare = corners()
    found = labels(items, full, bare, 0.5, 7, peers=False)
    honest, mixed = found["text neighbours before it"], found["the same, engine's vectors"]
    assert mixed["told"] > mixed["f1"] + 0.05
    assert abs(honest["told"] - honest["f1"]) < mixed["told"] - mixed["f1"]


def test_figures_are_of_the_hidden_alone() -> None:
    items, _, bare = corners()
    gone = hidden(items.held, 0.5, 7)
    found = by_neighbours(bare, items.held, gone, later=True)
    assert 0.5 < found["f1"] <= 1.0
    assert 0.0 <= found["without"] < 0.5
    none = by_neighbours(bare, np.where(gone[:, None], items.held, False), gone, later=True)
    assert none["recall"] == 0.0  # nobody is left who votes


def test_what_texts_foretell_of_new_items_is_told() -> None:
    items, full, _ = corners()
    popular = items.held[:, 0]
    old = np.arange(ITEMS) % 2 == 0
    first = [row for row in np.flatnonzero(old) for _ in range(6 if popular[row] else 1)]
    then = [row for row in np.flatnonzero(~old) for _ in range(8 if popular[row] else 5)]
    size = min(len(first), len(then))
    events = [rated(row, liked=bool(popular[row])) for row in map(int, first[:size] + then[:size])]
    found = behaviour(Log([], events), items, full)
    assert found["judged"] > 5
    assert found["text neighbours"]["ratings_rank_of_rated"] > 0.5
    assert found["text neighbours"]["likes_mae"] < found["mean"]["likes_mae"]


def rated(row: int, *, liked: bool) -> LogRecord:
    value = {"item_id": str(row), "rating": 5.0 if liked else 2.0}
    return LogRecord(0, Topic.REVIEWS, b"u", orjson.dumps(value))


def test_peers_are_beside_it() -> None:
    pytest.importorskip("sklearn")
    items, full, bare = corners()
    found = labels(items, full, bare, 0.5, 7, peers=True)
    assert len(found) == 8
    assert found["LogisticRegression"]["f1"] > 0.6
