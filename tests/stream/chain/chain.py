"""A whole user chain over plain ports, for tests: a memory store, the hashing encoder, a ranker
that notes what it is asked.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from encoders.hashing import HashingEncoder
from store.memory import MemoryStore
from stream.broker.topics import partition_of, partitioner
from stream.chain.catalogue import Catalogue, changed, encoded
from stream.chain.denoise import Denoiser, NoiseLimits
from stream.chain.fences import Fences
from stream.chain.fold import Bounds
from stream.chain.overrides.standing import Standing
from stream.chain.pipeline import Limits, Pipeline
from stream.chain.privacy import Pseudonymizer
from stream.chain.records import Record
from stream.chain.users import Users
from stream.chain.wire import decode_examples
from upwell.events import Item, Topic
from upwell.ports import Encoder, RankRequest
from upwell.recommendations import Entry, Reason
from upwell.values import CatalogueItem, Example, UserState, Vector

__all__ = [
    "ENCODER",
    "NOW_MS",
    "PARTITIONS",
    "Chain",
    "NotingEncoder",
    "NotingRanker",
    "examples_in",
    "record",
]

NOW_MS = 1_800_000_000_000
PARTITIONS = 4
ENCODER = HashingEncoder(8)
KEY = bytes(32)
PSEUDONYMIZER = Pseudonymizer(KEY)
ITEMS = ("i0", "i1", "i2", "i3")


class NotingEncoder(HashingEncoder):
    """Keeps the texts that it was given, call by call."""

    def __init__(self, dimension: int) -> None:
        super().__init__(dimension)
        self.calls: list[list[str]] = []

    def encode(self, texts: Sequence[str]) -> Vector:
        self.calls.append(list(texts))
        return super().encode(texts)


class NotingRanker:
    """Recommends the first k of ITEMS that the user has not had; keeps what it was asked, call by
    call.
    """

    def __init__(self) -> None:
        self.calls: list[list[RankRequest]] = []

    @property
    def version(self) -> str:
        return "noting-1"

    def rank(self, requests: Sequence[RankRequest]) -> list[tuple[Entry, ...]]:
        self.calls.append(list(requests))
        return [
            tuple(
                Entry(item_id=item, score=1.0, reasons=(Reason(signal="order", weight=1.0),))
                for item in [
                    item
                    for item in ITEMS
                    if item not in request.state.had and item not in request.exclude
                ][: request.k]
            )
            for request in requests
        ]


class Chain:
    """One worker's user chain. store: shared by several workers in some tests."""

    def __init__(
        self,
        store: MemoryStore | None = None,
        *,
        test_sample: float = 1.0,
        key: bytes = KEY,
        told: tuple[str, ...] = (),
    ) -> None:
        self.store = store or MemoryStore(ENCODER.dimension)
        self.encoder = NotingEncoder(ENCODER.dimension)
        self.ranker = NotingRanker()
        self.catalogue = Catalogue()
        self.catalogue.put(
            announced(*(Item(item_id=item, ts=1, title=f"title {item}") for item in ITEMS))
        )
        self.standing = Standing()
        self.pipeline = Pipeline(
            Limits(
                bounds=Bounds(100, 100, 86_400_000.0, told),
                partition_of=partitioner(PARTITIONS),
                list_k=3,
                test_sample=test_sample,
            ),
            encoder=self.encoder,
            ranker=self.ranker,
            users=Users(self.store, 100, ENCODER.dimension),
            catalogue=self.catalogue,
            pseudonymizer=Pseudonymizer(key),
            denoiser=Denoiser(NoiseLimits(1_000, 500)),
            fences=Fences(lambda: None),
            standing=self.standing,
        )

    def state(self, user_id: str) -> UserState | None:
        """What is stored of an app's user."""
        return self.store.read_users([PSEUDONYMIZER.pseudonym(user_id)])[0]


def announced(*items: Item, encoder: Encoder = ENCODER) -> list[CatalogueItem]:
    """The entries of items that nobody announced before."""
    entries = [entry for item in items if (entry := changed(None, item, item.ts)) is not None]
    return encoded(entries, [None] * len(entries), encoder)


def examples_in(raw: bytes) -> list[Example]:
    """Those of a record of the `examples` topic that is no erasure."""
    found = decode_examples(raw)
    assert isinstance(found, list)
    return found


def record(
    topic: Topic,
    offset: int,
    value: dict[str, Any] | bytes,
    *,
    partition: int | None = None,
    appended_ms: int = NOW_MS - 5,
) -> Record:
    """A record where a producer would have put it: `partition` by the user's id unless given. An
    event gets an id and a time.
    """
    if isinstance(value, bytes):
        return Record(topic, partition or 0, offset, value, appended_ms)
    full = {"event_id": f"{topic}-{offset}", "ts": NOW_MS - 1_000 + offset, **value}
    own = partition_of(str(value.get("user_id", "")).encode(), PARTITIONS)
    return Record(
        topic,
        own if partition is None else partition,
        offset,
        json.dumps(full).encode(),
        appended_ms,
    )
