"""The two chains as they are wired: settings and ports reach the part that works by them, and
nothing is done before there is something to do.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from store.memory import MemoryStore
from stream.broker.topics import partitioner
from stream.chain.build import Chains, Ports, build_chains
from stream.chain.privacy import Pseudonymizer
from tests.stream.chain.chain import (
    ENCODER,
    NOW_MS,
    PARTITIONS,
    NotingEncoder,
    NotingRanker,
    announced,
    record,
)
from upwell.events import Item, Topic
from upwell.settings import Settings
from upwell.values import UserState

KEY = b"k" * 32
ITEMS = [Item(item_id=f"i{n}", ts=1, title=f"title {n}") for n in range(4)]


class CountingStore(MemoryStore):
    """Counts what it is asked."""

    def __init__(self) -> None:
        super().__init__(ENCODER.dimension)
        self.calls = 0

    def __getattribute__(self, name: str) -> object:
        if name.startswith(("read_", "write_", "forget_")):
            self.calls += 1
        return super().__getattribute__(name)


def ports() -> Ports:
    return Ports(
        store=CountingStore(),
        encoder=NotingEncoder(ENCODER.dimension),
        bulk=NotingEncoder(ENCODER.dimension),
        ranker=NotingRanker(),
        key=KEY,
        partition_of=partitioner(PARTITIONS),
        oldest_ms=lambda: None,
    )


def built(given: Ports, **stream: Any) -> Chains:
    plain = Settings()
    chains = build_chains(replace(plain, stream=replace(plain.stream, **stream)), given)
    chains.catalogue.put(announced(*ITEMS))
    return chains


def noted(calls: object) -> list[list[str]]:
    assert isinstance(calls, NotingEncoder)
    return calls.calls


def ask(chains: Chains, words: str = "a film") -> int:
    """How long the list is that answers the words."""
    asked = record(Topic.QUERIES, 0, {"user_id": "ann", "text": words})
    return len(chains.pipeline.run([asked], NOW_MS).lists[0].items)


def state(given: Ports, user: str) -> UserState | None:
    return given.store.read_users([Pseudonymizer(KEY).pseudonym(user)])[0]


def test_nothing_is_read_or_encoded_before_a_record_comes() -> None:
    given = ports()
    chains = built(given)
    assert isinstance(given.store, CountingStore)
    assert (given.store.calls, noted(given.encoder), noted(given.bulk)) == (0, [], [])
    ask(chains)
    assert given.store.calls > 0


def test_users_words_and_announcements_are_encoded_by_their_own_encoders() -> None:
    given = ports()
    chains = built(given)
    ask(chains, "a quiet film")
    assert noted(given.encoder) == [["a quiet film"]]
    assert noted(given.bulk) == []
    new = {"item_id": "i9", "title": "nine"}
    chains.items.run([record(Topic.ITEMS, 1, new)], NOW_MS)
    assert [len(call) for call in noted(given.bulk)] == [1]
    assert len(noted(given.encoder)) == 1


def test_users_are_stored_under_the_keys_pseudonyms_and_items_in_the_same_store() -> None:
    given = ports()
    chains = built(given)
    ask(chains)
    chains.items.run([record(Topic.ITEMS, 1, {"item_id": "i9", "title": "nine"})], NOW_MS)
    found = state(given, "ann")
    assert found is not None
    assert found.user == chains.pseudonymizer.pseudonym("ann")
    assert given.store.read_items(["i9"])[0] is not None


@pytest.mark.parametrize("k", [1, 3])
def test_lists_are_as_long_as_the_settings_say(k: int) -> None:
    assert ask(built(ports(), list_k=k)) == k


def test_histories_and_the_catalogue_are_bounded_by_the_settings() -> None:
    given = ports()
    chains = built(given, history=2, had=3, catalogue_items=1)
    clicks = [
        record(Topic.CLICKS, n, {"user_id": "ann", "item_id": f"i{n}", "action": "purchase"})
        for n in range(4)
    ]
    chains.pipeline.run(clicks, NOW_MS)
    found = state(given, "ann")
    assert found is not None
    assert (len(found.history), len(found.had), found.events) == (2, 3, 4)
    items = [record(Topic.ITEMS, n, {"item_id": f"n{n}", "title": "t"}) for n in range(2)]
    full = chains.items.run(items, NOW_MS)
    assert (len(full.items), len(full.dead_letters)) == (1, 1)
