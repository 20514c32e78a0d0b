"""The fused model by rows, as it ranks: items that stand on text until behaviour is known, users as
a transformer's last state joined with intent.

Arrays in and out; a row is the caller's number of an item. It knows nothing about item ids, or
about how it is trained.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from learner.catalogue.kernel import grown
from learner.fused.digest import row_digests
from learner.fused.histories import LENGTH, HistoryBatch, intent_weights
from learner.fused.items import ItemTable
from learner.fused.network import Events, Network, torch_device
from learner.fused.reading import Reader, gap_buckets, rating_buckets
from upwell.errors import ModelError

__all__ = ["WIDTH", "FusedModel"]

WIDTH = 64
LAYERS = 1
HEADS = 2
_CHUNK = 4096


class FusedModel:
    """items: what it reads beside its own weights. The last column of items is their bias, of users
    1: a score is a dot product. ready: it was trained, and may rank.

    Identities are kept as float16 alone, as replicas get them, so that all rank alike; who trains
    has finer ones. Not thread-safe.
    """

    def __init__(self, items: ItemTable, seed: int, device: str = "auto") -> None:
        self.items = items
        self.device = torch_device(device)
        generator = torch.Generator().manual_seed(seed)
        self.network = Network(items.dimension, WIDTH, LAYERS, HEADS, LENGTH, generator).to(
            self.device
        )
        self._reader = _reader(self.network)
        self.ready = False
        self._identities = np.zeros((0, WIDTH + 1), np.float16)
        self._digests = np.zeros(0, np.uint64)
        self._matrix = np.zeros((0, WIDTH + 1), np.float32)
        self._read_at = 0  # the items' clock when the matrix was made
        self._stale = True
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
        table = self.item_matrix()[used, :WIDTH]
        return self._reader.user_vectors(table, codes.reshape(places.shape), histories)

    # ---- what training reads it by

    def tensor(self, array: NDArray[Any]) -> Tensor:
        """On the model's device."""
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.device)

    def events(
        self,
        places: NDArray[np.int64],
        kinds: NDArray[np.uint8],
        ratings: NDArray[np.float32],
        ts: NDArray[np.int64],
        lengths: NDArray[np.int64],
    ) -> Events:
        """Histories as the network reads them; `places` are (b, L) in a table of item vectors."""
        here = np.arange(places.shape[1]) < lengths[:, None]
        return Events(
            items=self.tensor(places),
            kinds=self.tensor(np.where(here, kinds, 0).astype(np.int64)),
            ratings=self.tensor(rating_buckets(ratings)),
            gaps=self.tensor(gap_buckets(np.where(here, ts, 0))),
            weights=self.tensor(
                np.where(here, intent_weights(kinds, ratings), 0.0).astype(np.float32)
            ),
        )

    def join(self, states: Tensor, intents: Tensor, lengths: Tensor, wished: Tensor) -> Tensor:
        """(…, m) last states and projected intents, (…) lengths, (…) whether there is an intent →
        (…, m) users.
        """
        some = (lengths > 0).unsqueeze(-1)
        wish = self.network.wishes(intents, lengths) * wished.unsqueeze(-1)
        nothing = ~(some | wished.unsqueeze(-1))
        return (
            torch.where(some, states, 0.0) + wish + torch.where(nothing, self.network.default, 0.0)
        )

    # ---- parameters

    def write(self, rows: NDArray[np.int64], identities: NDArray[np.float32]) -> None:
        """From training: the network has changed, and these (n, m + 1) are the identities of n
        `rows`. The one way in.
        """
        self._grow()
        self._identities[rows] = identities.astype(np.float16)
        self._digests[rows] = row_digests(self._identities[rows])
        self._written = (self._written or set()) | set(rows.tolist())
        self._reader = _reader(self.network)
        self._stale = self.ready = True

    def forget(self, rows: NDArray[np.int64]) -> None:
        """These rows have no identity."""
        self._grow()
        self._identities[rows] = 0
        self._digests[rows] = 0
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
        network, matrix, read_at = deepcopy(self.network), self._matrix.copy(), self.items.clock
        _load(network, arrays)
        reader = _reader(network)
        rows = arrays["rows"]
        identities = np.zeros_like(self._identities) if whole else self._identities.copy()
        digests = np.zeros_like(self._digests) if whole else self._digests.copy()
        identities[rows] = arrays["identities"]
        for start in range(0, self.items.size, _CHUNK):
            part = np.arange(start, min(start + _CHUNK, self.items.size))
            matrix[part] = self._vectors_of(part, reader, identities)
            digests[part] = row_digests(identities[part])
            yield
        _load(self.network, arrays)
        self._reader = _reader(self.network)
        self._identities, self._digests, self._matrix = identities, digests, matrix
        self._stale, self._read_at = False, read_at
        self.ready = "ready" not in arrays or bool(arrays["ready"][0])

    @property
    def row_digests(self) -> NDArray[np.uint64]:
        """(N,) of each item's identity as it ranks; 0 where it has none."""
        self._grow()
        return self._digests[: self.items.size]

    @property
    def digest(self) -> int:
        """Of the network, 32 bits."""
        found = 0
        for weight in self.network.parameters():
            found = zlib.crc32(weight.detach().cpu().numpy().tobytes(), found)
        return found

    def _grow(self) -> None:
        capacity = len(self.items.events)
        self._identities = grown(self._identities, capacity)
        self._digests = grown(self._digests, capacity)
        self._matrix = grown(self._matrix, capacity)

    def network_arrays(self) -> dict[str, NDArray[Any]]:
        """All small weights, as `network.*`."""
        return {
            f"network.{name}": weight.detach().cpu().numpy().copy()
            for name, weight in self.network.named_parameters()
        }

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
        _load(self.network, arrays)


def _reader(network: Network) -> Reader:
    """On a CPU it reads the very weights, elsewhere a copy of them as they are now."""
    weights = {name: one.detach().cpu().numpy() for name, one in network.named_parameters()}
    return Reader(weights, LAYERS, HEADS)


@torch.no_grad()
def _load(network: Network, arrays: Mapping[str, NDArray[Any]]) -> None:
    for name, weight in network.named_parameters():
        given = arrays.get(f"network.{name}")
        if given is None or given.shape != tuple(weight.shape):
            shape = "missing" if given is None else f"of shape {given.shape}"
            raise ModelError(
                f"fused model: {name} is {shape}, expected {tuple(weight.shape)}: remove "
                "this checkpoint, it is another version's"
            )
        if not np.isfinite(given).all():
            raise ModelError(
                f"fused model: {name} is not finite: roll back to the checkpoint before"
            )
    for name, weight in network.named_parameters():
        weight.copy_(torch.from_numpy(np.array(arrays[f"network.{name}"])))
