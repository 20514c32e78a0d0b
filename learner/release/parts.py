"""A delta in parts, each small enough for a record and for a step between two lists, and the
parameters of the parts together again.

A part is a delta: its examples count by themselves, since counts go out at once, and its parameters
wait for those of the last part. It knows nothing about records or replicas.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.counts.block import starts_of
from learner.ranking.parameters import ROWS, Arrays, part, prefixed
from learner.release.delta import ModelDelta
from learner.release.journal import READ_AGAIN
from upwell.errors import ModelError

__all__ = ["PART_BYTES", "Assembly", "in_parts"]

PART_BYTES = 1 << 20
"""Of a part, about: reading one takes some milliseconds, in which lists wait."""
_BY_ROWS = {*ROWS, *ROWS.values()}
_EXAMPLES = "examples."
_OF_HISTORY = ("history", "history_liked")
_HISTORY_BYTES = 5
_EXAMPLE_BYTES = 32  # of a counted example but its history, and a little more


def in_parts(delta: ModelDelta, most_bytes: int = PART_BYTES) -> list[ModelDelta]:
    """The delta, whose arrays of rows and examples are divided so that no part is much above
    `most_bytes`; what is no array by rows or examples goes with the last. A small delta is itself.
    """
    if _bytes(delta) <= most_bytes:
        return [delta]
    parameters = {
        name: array for name, array in delta.arrays.items() if not name.startswith(_EXAMPLES)
    }
    cuts = [*_counted(delta, most_bytes), *_rows(delta, most_bytes)]
    last = {
        name: array for name, array in parameters.items() if name not in _BY_ROWS or not len(array)
    }
    if last:
        cuts.append(_bare(delta, last))
    cuts = [replace(one, forgotten=()) for one in cuts[:-1]] + cuts[-1:]
    return [replace(one, part=number, parts=len(cuts)) for number, one in enumerate(cuts)]


def _bytes(delta: ModelDelta) -> int:
    texts = (delta.items, *delta.row_items.values())
    return sum(array.nbytes for array in delta.arrays.values()) + sum(
        _text_bytes(one) for items in texts for one in items
    )


def _bare(delta: ModelDelta, arrays: Arrays) -> ModelDelta:
    """Parameters alone, for a replica that has all examples."""
    return replace(delta, since=delta.watermark, sources=(), items=(), row_items={}, arrays=arrays)


def _rows(delta: ModelDelta, most_bytes: int) -> Iterator[ModelDelta]:
    for rows, values in ROWS.items():
        if rows not in delta.arrays:
            continue
        items, array = delta.row_items[rows], delta.arrays[values]
        width = array[:1].nbytes + delta.arrays[rows].itemsize
        sizes = np.array([width + _text_bytes(one) for one in items], np.int64)
        for start, end in _stretches(sizes, most_bytes):
            arrays = {rows: delta.arrays[rows][start:end], values: array[start:end]}
            yield replace(_bare(delta, arrays), row_items={rows: items[start:end]})


def _counted(delta: ModelDelta, most_bytes: int) -> Iterator[ModelDelta]:
    columns = part(delta.arrays, _EXAMPLES)
    if not columns:
        return
    text = np.array([_text_bytes(one) for one in delta.items], np.int64)
    starts = starts_of(columns["lengths"].astype(np.int64))
    history = np.concatenate([[0], np.cumsum(_HISTORY_BYTES + text[columns["history"]])])
    sizes = _EXAMPLE_BYTES + text[columns["rows"]] + history[starts[1:]] - history[starts[:-1]]
    watermark, learned = dict(delta.since), delta.learned - len(sizes)
    for start, end in _stretches(sizes, most_bytes):
        since = dict(watermark)
        for code, source in enumerate(delta.sources):
            offsets = columns["offsets"][start:end][columns["sources"][start:end] == code]
            if len(offsets):
                watermark[source] = max(int(offsets.max()), watermark.get(source, -1))
        learned += end - start
        read = slice(starts[start], starts[end])
        some = {
            name: array[read if name in _OF_HISTORY else slice(start, end)]
            for name, array in columns.items()
        }
        named, codes = np.unique(
            np.concatenate([some["rows"], some["history"]]), return_inverse=True
        )
        some |= {
            "rows": codes[: end - start].astype(np.int32),
            "history": codes[end - start :].astype(np.int32),
        }
        yield replace(
            delta,
            since=since,
            watermark=dict(delta.watermark if end == len(sizes) else watermark),
            learned=learned,
            items=tuple(delta.items[code] for code in named),
            row_items={},
            arrays=prefixed(_EXAMPLES, some),
        )


def _text_bytes(item_id: str) -> int:
    """As JSON, with what separates it from the next."""
    return len(json.dumps(item_id)) + 2


def _stretches(sizes: NDArray[np.int64], most: int) -> Iterator[tuple[int, int]]:
    """Starts and ends of stretches whose sum is at most `most`, or that are one long."""
    upto, start = np.cumsum(sizes), 0
    while start < len(sizes):
        before = int(upto[start - 1]) if start else 0
        end = max(start + 1, int(np.searchsorted(upto, before + most, side="right")))
        yield start, end
        start = end


class Assembly:
    """The parameters of a delta that comes in parts."""

    def __init__(self) -> None:
        self._version = ""
        self._seen = 0
        self._parts: list[Mapping[str, NDArray[Any]]] = []

    def add(self, delta: ModelDelta, rows: Arrays) -> Arrays | None:
        """All parameters with the last part, None before it.

        rows: by name, those of `delta.row_items` in this process. What came of a delta whose writer
        died is dropped where another one begins. Raises `ModelError` where a part is missing.
        """
        if delta.part == 0:
            self._version, self._seen, self._parts = delta.version, 0, []
        if (delta.version, delta.part) != (self._version, self._seen):
            raise ModelError(
                f"part {delta.part} of a model delta to {delta.version} comes after "
                f"{self._seen} of a delta to {self._version or 'nothing'}: {READ_AGAIN}"
            )
        self._seen += 1
        parameters = {
            name: array for name, array in delta.arrays.items() if not name.startswith(_EXAMPLES)
        }
        self._parts.append(parameters | rows)
        if self._seen < delta.parts:
            return None
        parts, self._parts = self._parts, []
        return _joined(parts)


def _joined(parts: Sequence[Mapping[str, NDArray[Any]]]) -> Arrays:
    found = {name: array for one in parts for name, array in one.items()}
    for name in _BY_ROWS & found.keys():
        found[name] = np.concatenate([one[name] for one in parts if name in one])
    return found
