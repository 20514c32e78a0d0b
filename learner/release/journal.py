"""The examples counted since the last delta, as compact columns, and back.

It knows nothing about counting.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.counts.block import Block, Targets, starts_of
from learner.counts.counts import COUNTED
from learner.counts.dense import empty_dense
from learner.release.delta import ModelDelta
from upwell.errors import ModelError
from upwell.values import Example

__all__ = ["READ_AGAIN", "Journal", "replay"]

READ_AGAIN = "restore the newest checkpoint, then read the deltas again"


class Journal:
    """Grows by what was counted until its delta is taken.

    `since`: the watermark when it was begun. forgotten: items that made room for others, after all
    that was added.
    """

    def __init__(self, since: Mapping[str, int]) -> None:
        self._since = dict(since)
        self._sources: list[str] = []
        self._offsets: list[int] = []
        self._parts: list[dict[str, NDArray[Any]]] = []
        self._codes: dict[str, int] = {}
        self.forgotten: list[str] = []

    def add(
        self, examples: Sequence[Example], block: Block, targets: Targets, ids: Sequence[str]
    ) -> None:
        """Takes in one counted block; of each history only what counting reads. ids: by row."""
        lengths = np.diff(block.starts)
        read = np.arange(len(block.history)) - np.repeat(block.starts[:-1], lengths) < COUNTED
        self._sources += [example.source for example in examples]
        self._offsets += [example.offset for example in examples]
        self._parts.append(
            {
                "rows": self._coded(targets.rows, ids),
                "likes": targets.liked,
                "met": targets.met,
                "newcomer": targets.newcomer,
                "weight": targets.weight,
                "lengths": np.minimum(lengths, COUNTED),
                "history": self._coded(block.history[read], ids),
                "history_liked": block.liked[read],
            }
        )

    def _coded(self, rows: NDArray[np.int32], ids: Sequence[str]) -> NDArray[np.int32]:
        named, places = np.unique(rows, return_inverse=True)
        codes = [self._codes.setdefault(ids[row], len(self._codes)) for row in named]
        return np.array(codes, np.int32)[places]

    def columns(self) -> tuple[dict[str, NDArray[Any]], tuple[str, ...], tuple[str, ...]]:
        """The columns with rows as codes of the items they name, those items, and the sources."""
        if not self._parts:
            return {}, (), ()
        sources = sorted(set(self._sources))
        code_of = {source: code for code, source in enumerate(sources)}
        columns = {
            name: np.concatenate([part[name] for part in self._parts]) for name in self._parts[0]
        }
        columns |= {
            "lengths": columns["lengths"].astype(np.uint8),
            "sources": np.array([code_of[source] for source in self._sources], np.uint16),
            "offsets": np.array(self._offsets, np.int64),
        }
        return columns, tuple(self._codes), tuple(sources)

    @property
    def since(self) -> dict[str, int]:
        """The watermark when it was begun."""
        return dict(self._since)


def replay(
    delta: ModelDelta, ensure: Callable[[str], int], watermark: Mapping[str, int]
) -> tuple[Block, Targets]:
    """The delta's examples above `watermark`, as rows of this process.

    Raises `ModelError` where a delta before it is missing.
    """
    for source, offset in delta.since.items():
        if watermark.get(source, -1) < offset:
            raise ModelError(
                f"a model delta begins after offset {offset} of {source}, this replica is "
                f"at {watermark.get(source, -1)}: {READ_AGAIN}"
            )
    columns = {
        name.removeprefix("examples."): array
        for name, array in delta.arrays.items()
        if name.startswith("examples.")
    }
    if not columns:
        return _empty()
    last = np.array([watermark.get(source, -1) for source in delta.sources], np.int64)
    fresh = columns["offsets"] > last[columns["sources"]]
    lengths = columns["lengths"].astype(np.int64)
    kept = np.repeat(fresh, lengths)
    count = int(fresh.sum())
    row_of = np.zeros(len(delta.items), np.int32)
    for code in np.union1d(columns["rows"][fresh], columns["history"][kept]):
        row_of[code] = ensure(delta.items[code])
    block = _empty()[0]._replace(
        history=row_of[columns["history"][kept]],
        liked=columns["history_liked"][kept],
        starts=starts_of(lengths[fresh]),
        taken=np.zeros(int(kept.sum()), np.int32),
    )
    targets = Targets(
        row_of[columns["rows"][fresh]],
        columns["likes"][fresh],
        np.zeros(count, np.bool_),
        columns["met"][fresh],
        columns["newcomer"][fresh],
        columns["weight"][fresh],
        np.zeros(count, np.int8),
    )
    return block, targets


def _empty() -> tuple[Block, Targets]:
    none, flags, one = np.zeros(0, np.int32), np.zeros(0, np.bool_), np.zeros(1, np.int64)
    long = np.zeros(0, np.int64)
    block = Block(
        none,
        flags,
        one,
        none,
        none,
        one,
        long,
        long,
        empty_dense(),
        np.zeros((1, 1), np.bool_),
        none,
        np.zeros(0),
        one,
        long,
    )
    kinds = np.zeros(0, np.int8)
    return block, Targets(none, flags, flags, kinds, flags, np.zeros(0, np.float32), kinds)
