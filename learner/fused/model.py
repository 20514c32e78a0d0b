"""The fused model by rows, as it ranks: items that stand on text until behaviour is known, users as
a transformer's last state joined with intent.

Arrays in and out; a row is the caller's number of an item. It knows nothing about item ids, or
about how it is trained: who only ranks does without torch.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.kernel import grown, thinly_grown
from learner.fused.digest import row_digests
from learner.fused.histories import HistoryBatch
from learner.fused.items import ItemTable
from learner.fused.reading import Floats, Reader
from learner.fused.shapes import HEADS, LAYERS, WIDTH, weight_shapes
from upwell.errors import ModelError

__all__ = ["FusedModel"]

_CHUNK = 4096


class FusedModel:
    """items: what it reads beside its own weights. The last column of items is their bias, of users
    1: a score is a dot product. weights: all small ones by name, changed in place. ready: it was
    trained, and may rank.

    Identities are kept as float16 alone, as replicas get them, so that all rank alike; who trains
    has finer ones. Not thread-safe.
    """

    def __init__(self, items: ItemTable) -> None:
        self.items = items
        self.weights: dict[str, Floats] = {
            name: np.zeros(shape, np.float32)
            for name, shape in weight_shapes(items.dimension).items()
        }
        self._reader = Reader(self.weights, LAYERS, HEADS)
        self.ready = False
        self._identities = np.zeros((0, WIDTH + 1), np.float16)
        self._digests = np.zeros(0, np.uint64)
        self._matrix = np.zeros((0, WIDTH + 1), np.float32)
        self._read_at = 0  # the items' clock when the matrix was made
        self._stale = True
        self._wide = np.zeros((0, WIDTH + 1), np.float32)
        self._written: set[int] | None = None

    @property
    def dimension(self) -> int:
        """Of the text and intent vectors."""
        return self.items.dimension

    @property
    def width(self) -> int:
        """Columns of user and item vectors."""
        return WIDTH + 1

    # ---- ranking

    def item_matrix(self) -> NDArray[np.float32]:
        """(N, m + 1), a view that holds until the next call."""
        self._grow()
        size = self.items.size
        changed = self._stale | (self.items.stamps[:size] > self._read_at)
        rows = np.flatnonzero(changed)
        for start in range(0, len(rows), _CHUNK):
            part = rows[start : start + _CHUNK]
            self._matrix[part] = self._vectors_of(part, self._reader, self._identities)
        self._stale, self._read_at = False, self.items.clock
        return self._matrix[:size]

    def item_vectors(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """(n, m + 1) of n rows: of a large catalogue made for them alone."""
        if self.items.large:
            return self._vectors_of(rows, self._reader, self._identities)
        return self.item_matrix()[rows]

    def queries(
        self, users: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Of a large catalogue, what the score of one item is made of: (b, d) for the product with
        its text; (N, m + 1) identities, a view that holds until the next call; `Reader.trust`.
        """
        self._grow()
        return self._reader.as_texts(users), self._wide, self._reader.trust

    def _vectors_of(
        self, rows: NDArray[np.int64], reader: Reader, identities: NDArray[np.float16]
    ) -> NDArray[np.float32]:
        items = self.items
        return reader.item_vectors(
            items.vectors[rows], identities[rows].astype(np.float32), items.events[rows]
        )

    def user_vectors(self, histories: HistoryBatch) -> NDArray[np.float32]:
        """(b, m + 1) for the dot product with `item_matrix`."""
        longest = int(histories.lengths.max(initial=0))
        cut = slice(0, max(1, longest))
        places = histories.rows[:, cut].clip(min=0)
        used, codes = np.unique(places, return_inverse=True)
        if self.items.size == 0:
            return np.zeros((len(places), self.width), np.float32)
        table = self.item_vectors(used)[:, :WIDTH]
        return self._reader.user_vectors(table, codes.reshape(places.shape), histories)

    # ---- parameters

    def write(self, rows: NDArray[np.int64], identities: NDArray[np.float32]) -> None:
        """From training: the weights have changed, and these (n, m + 1) are the identities of n
        `rows`. The one way in.
        """
        self._grow()
        self._set(rows, identities.astype(np.float16))
        self._written = (self._written or set()) | set(rows.tolist())
        self._stale = self.ready = True

    def forget(self, rows: NDArray[np.int64]) -> None:
        """These rows have no identity."""
        self._grow()
        self._set(rows, np.zeros((len(rows), self.width), np.float16))
        if self._written is not None:
            self._written -= set(rows.tolist())
        self._stale = True

    def changes(self) -> dict[str, NDArray[Any]]:
        """See `Parameters`: all small weights, and `rows` with their `identities` (float16); empty
        where nothing was written.
        """
        if self._written is None:
            return {}
        rows = np.array(sorted(self._written), np.int32)
        self._written = None
        return self._arrays(rows)

    def whole(self) -> dict[str, NDArray[Any]]:
        """See `Parameters`: of every row that has one its identity."""
        rows = np.flatnonzero(self._identities[: self.items.size].any(axis=1)).astype(np.int32)
        return self._arrays(rows)

    def take(self, arrays: Mapping[str, NDArray[Any]], whole: bool = False) -> Iterator[None]:
        """See `Parameters`: a step is `_CHUNK` items, whose vectors are made beside those that
        rank. Between two steps nothing is called but what ranks.
        """
        self._grow()
        if self.items.large:
            self._take_thinly(arrays, whole)
            return
        weights, matrix, read_at = self._fitting(arrays), self._matrix.copy(), self.items.clock
        reader = Reader(weights, LAYERS, HEADS)
        rows = arrays["rows"]
        identities = np.zeros_like(self._identities) if whole else self._identities.copy()
        digests = np.zeros_like(self._digests) if whole else self._digests.copy()
        identities[rows] = arrays["identities"]
        for start in range(0, self.items.size, _CHUNK):
            part = np.arange(start, min(start + _CHUNK, self.items.size))
            matrix[part] = self._vectors_of(part, reader, identities)
            digests[part] = row_digests(identities[part])
            yield
        self._load(weights)
        self._identities, self._digests, self._matrix = identities, digests, matrix
        self._stale, self._read_at = False, read_at
        self.ready = "ready" not in arrays or bool(arrays["ready"][0])

    def _take_thinly(self, arrays: Mapping[str, NDArray[Any]], whole: bool) -> None:
        """One step: of a large catalogue nothing is made of the items that were given none."""
        weights = self._fitting(arrays)
        if whole:
            gone = np.flatnonzero(self._digests)
            self._set(gone, np.zeros((len(gone), self.width), np.float16))
        self._set(arrays["rows"], arrays["identities"])
        self._load(weights)
        self._stale = True
        self.ready = "ready" not in arrays or bool(arrays["ready"][0])

    def _set(
        self, rows: NDArray[np.int64] | NDArray[np.int32], identities: NDArray[np.float16]
    ) -> None:
        self._identities[rows] = identities
        self._digests[rows] = row_digests(identities)
        if self.items.large:
            self._wide[rows] = identities

    @property
    def row_digests(self) -> NDArray[np.uint64]:
        """(N,) of each item's identity as it ranks; 0 where it has none."""
        self._grow()
        return self._digests[: self.items.size]

    @property
    def digest(self) -> int:
        """Of the small weights, 32 bits."""
        found = 0
        for weight in self.weights.values():
            found = zlib.crc32(weight.tobytes(), found)
        return found

    def _grow(self) -> None:
        capacity = len(self.items.events)
        self._identities = thinly_grown(self._identities, capacity)
        self._digests = grown(self._digests, capacity)
        if not self.items.large:
            self._matrix = grown(self._matrix, capacity)
        elif len(self._wide) < capacity:
            rows = np.flatnonzero(self._digests) if not len(self._wide) else ()
            self._wide = thinly_grown(self._wide, capacity)
            self._wide[rows] = self._identities[rows]
            self._matrix, self._stale = np.zeros((0, WIDTH + 1), np.float32), True

    def network_arrays(self) -> dict[str, NDArray[Any]]:
        """All small weights, as `network.*`."""
        return {f"network.{name}": weight.copy() for name, weight in self.weights.items()}

    def _arrays(self, rows: NDArray[np.int32]) -> dict[str, NDArray[Any]]:
        return self.network_arrays() | {
            "ready": np.array([self.ready]),
            "rows": rows,
            "identities": self._identities[rows].copy(),
        }

    @property
    def identities(self) -> NDArray[np.float16]:
        """(N, m + 1), to be read."""
        self._grow()
        return self._identities[: self.items.size]

    def restore_network(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """The `network.*` of `whole()`. Raises `ModelError` where they do not fit, or are not
        finite.
        """
        self._load(self._fitting(arrays))

    def _fitting(self, arrays: Mapping[str, NDArray[Any]]) -> dict[str, Floats]:
        """The `network.*` of them, copied. Raises `ModelError`."""
        found = {}
        for name, weight in self.weights.items():
            given = arrays.get(f"network.{name}")
            if given is None or given.shape != weight.shape:
                shape = "missing" if given is None else f"of shape {given.shape}"
                raise ModelError(
                    f"fused model: {name} is {shape}, expected {weight.shape}: remove "
                    "this checkpoint, it is another version's"
                )
            if not np.isfinite(given).all():
                raise ModelError(
                    f"fused model: {name} is not finite: roll back to the checkpoint before"
                )
            found[name] = np.array(given, np.float32)
        return found

    def _load(self, weights: Mapping[str, Floats]) -> None:
        for name, weight in weights.items():
            self.weights[name][...] = weight
