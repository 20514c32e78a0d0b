"""Items are made anew a few at a time, each once, and all of them wherever the worker died."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from encoders.hashing import HashingEncoder
from store.memory import MemoryStore
from stream.chain.catalogue import Catalogue, encoded
from stream.chain.items import ItemPipeline
from stream.chain.publish import Outgoing
from stream.chain.wire import decode_item
from stream.serve.encoders.renewal import AT_ONCE, LOOKED_AT, MOST_UNTAKEN, Renewal
from upwell.values import CatalogueItem, Vector

DIMENSION = 8


class Other(HashingEncoder):
    """Reads otherwise than the plain one."""

    @property
    def revision(self) -> str:
        return "other"

    def encode(self, texts: Sequence[str]) -> Vector:
        return super().encode([f"{text} again" for text in texts])


def items(count: int) -> list[CatalogueItem]:
    bare = [
        CatalogueItem(
            item_id=f"i{number}", ts=number, title=f"title {number}", vector=NONE, revision=""
        )
        for number in range(count)
    ]
    return encoded(bare, [None] * count, HashingEncoder(DIMENSION))


NONE: Vector = np.zeros(0, np.float32)


class Engine:
    """What outlives a worker: the store, and the catalogue as it was published."""

    def __init__(self, count: int) -> None:
        self.store = MemoryStore(DIMENSION)
        self.published = Catalogue()
        self.store.write_items(items(count))
        self.published.put(items(count))

    def worker(self) -> Renewal:
        """Starts: it finds what is to be done."""
        encoder = Other(DIMENSION)
        renewal = Renewal(ItemPipeline(encoder, self.store).renew, lambda: 0)
        renewal.owns = lambda _: True
        renewal.add(self.published.made_otherwise(encoder.revision))
        return renewal

    def publish(self, outgoing: Sequence[Outgoing]) -> None:
        self.published.put([decode_item(one.value) for one in outgoing])


def all_done(engine: Engine, count: int) -> None:
    expected = Other(DIMENSION).encode([one.title for one in items(count)])
    for number, vector in enumerate(expected):
        [stored] = engine.store.read_items([f"i{number}"])
        for one in (stored, engine.published.get(f"i{number}")):
            assert one is not None
            assert one.revision == "other"
            np.testing.assert_array_equal(one.vector, vector)
            assert replace(one, vector=NONE, revision="") == replace(
                items(count)[number], vector=NONE, revision=""
            )


def test_all_are_made_anew_a_few_at_a_time() -> None:
    engine = Engine(100)
    worker = engine.worker()
    sizes = []
    while outgoing := worker.step():
        engine.publish(outgoing)
        sizes.append(len(outgoing))
    assert sizes == [AT_ONCE] * (100 // AT_ONCE) + [100 % AT_ONCE]
    assert (len(worker), worker.renewed) == (0, 100)
    all_done(engine, 100)


@pytest.mark.parametrize("steps", range(5))
@pytest.mark.parametrize("published", [False, True])
def test_wherever_a_worker_dies_the_next_one_does_the_rest(steps: int, published: bool) -> None:
    """Before the write, between it and the publishing, after both: what was written and not
    published is published by the next one.
    """
    engine = Engine(100)
    dying = engine.worker()
    for _ in range(steps):
        outgoing = dying.step()
        engine.publish(outgoing)
    lost = dying.step()
    if published:
        engine.publish(lost)
    worker = engine.worker()
    done = steps * AT_ONCE + (AT_ONCE if published else 0)
    assert len(worker) == max(0, 100 - done)
    while outgoing := worker.step():
        engine.publish(outgoing)
    all_done(engine, 100)


def test_an_operators_word_that_came_between_stays() -> None:
    engine = Engine(3)
    worker = engine.worker()
    [before] = engine.store.read_items(["i1"])
    assert before is not None
    engine.store.write_items([replace(before, banned=True)])
    engine.publish(worker.step())
    found = engine.published.get("i1")
    assert found is not None
    assert (found.banned, found.revision) == (True, "other")


def test_what_another_owns_is_left_to_it_and_nothing_is_done_before_that_is_known() -> None:
    engine = Engine(LOOKED_AT + 10)
    worker = engine.worker()
    worker.owns = lambda _: None
    assert worker.step() == []
    assert len(worker) == LOOKED_AT + 10
    worker.owns = lambda item_id: item_id.endswith("7")
    made: list[Outgoing] = []
    while len(worker):
        made += worker.step()
    assert {(one.key or b"").decode()[-1] for one in made} == {"7"}
    assert len(made) == (LOOKED_AT + 10 + 2) // 10


def test_lists_go_first_where_entries_wait_to_be_ranked_by() -> None:
    waiting = [MOST_UNTAKEN]
    renewal = Renewal(lambda ids: [], lambda: waiting[0])
    renewal.owns = lambda _: True
    renewal.add(["a"])
    assert renewal.step() == []
    assert len(renewal) == 1
    waiting[0] -= 1
    assert renewal.step() == []
    assert len(renewal) == 0


def test_an_item_that_is_named_twice_is_made_once() -> None:
    engine = Engine(5)
    worker = engine.worker()
    worker.add(["i1", "i2", "nobody's"])
    engine.publish(worker.step())
    assert worker.renewed == 5
