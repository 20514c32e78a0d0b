"""The bench of lists: what is hidden is hidden from text and features, what is filled from text
alone.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import orjson

from bench.prequential import Log
from bench.propagation.lists import BEHAVIOUR, Filling, figures, propagated, without_categories
from bench.propagation.texts import Items, items_of
from encoders.hashing import HashingEncoder
from learner.ranking.names import SIGNALS
from stream.replay.log import LogRecord
from upwell.events import Topic
from upwell.settings import Settings

SETTINGS = replace(Settings(), learner=replace(Settings().learner, fused=False, test_sample=1.0))
ITEMS, RATINGS = 12, 60
BEGIN_MS = 1_400_000_000_000


def shop() -> Log:
    rng = np.random.default_rng(7)
    items = [
        {"item_id": f"i{n}", "ts": BEGIN_MS, "title": f"Film {n}", "categories": [f"kind {n % 3}"]}
        for n in range(ITEMS)
    ]
    ratings = [
        {
            "event_id": f"e{n}",
            "user_id": f"u{n % 6}",
            "item_id": f"i{rng.integers(ITEMS)}",
            "ts": BEGIN_MS + n,
            "rating": 5.0,
        }
        for n in range(RATINGS)
    ]
    return Log(
        [
            LogRecord(0, Topic.ITEMS, str(one["item_id"]).encode(), orjson.dumps(one))
            for one in items
        ],
        [
            LogRecord(0, Topic.REVIEWS, str(one["user_id"]).encode(), orjson.dumps(one))
            for one in ratings
        ],
    )


def announced(log: Log, given: dict[str, tuple[str, ...]]) -> Filling:
    engine = Filling(SETTINGS, HashingEncoder(16), given)
    for _ in engine.play(log.items):
        pass
    return engine


def test_a_filled_item_has_categories_and_the_vector_of_its_text_without() -> None:
    log = without_categories(shop(), {"i1", "i2"}.__contains__)
    bare, engine = announced(log, {}), announced(log, {"i1": ("kind 1",)})
    one, other, plain = (engine.catalogue.get(name) for name in ("i1", "i2", "i3"))
    was = bare.catalogue.get("i1")
    assert one is not None
    assert other is not None
    assert plain is not None
    assert was is not None
    assert (one.categories, other.categories, plain.categories) == (("kind 1",), (), ("kind 0",))
    assert was.categories == ()
    np.testing.assert_array_equal(one.vector, was.vector)
    table = engine.learner.ranking.catalogue
    row = table.row("i1")
    assert row is not None
    assert table.features.state.categories[row, 0] >= 0


def test_only_the_hidden_are_given_labels() -> None:
    vectors = np.array([[1, 0], [1, 0], [0, 1], [0.8, 0.6]], np.float32)
    held = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.bool_)
    gone = np.array([False, True, False, True])
    given = propagated(Items(["p", "q", "r", "s"], ["a", "b"], held), vectors, gone)
    assert given.keys() == {"q", "s"}
    assert given["q"] == ("a",)


def test_every_condition_is_measured_on_the_same_targets() -> None:
    log = shop()
    _, items = items_of(log.items)
    given = {"i1": ("kind 1",), "i2": ("kind 0",)}
    found = {
        name: figures(name, log, items, given, SETTINGS, HashingEncoder(16))
        for name in ("hidden", "nothing hidden", "without propagated behaviour")
    }
    assert {str(one["targets"]) for one in found.values()} == {str(found["hidden"]["targets"])}
    assert found["hidden"]["targets"]["all"] > 10


def test_propagated_behaviour_is_signals_that_there_are() -> None:
    assert set(BEHAVIOUR) <= set(SIGNALS)
