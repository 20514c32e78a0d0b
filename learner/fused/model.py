"""The fused model by rows: items that stand on text until behaviour is known, users as a
transformer's last state joined with intent.

Arrays in and out; a row is the caller's number of an item. It knows nothing about item ids,
examples or how it is trained.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from learner.catalogue.kernel import grown, room
from learner.fused.intent import event_weight
from learner.fused.network import Events, Network, gap_buckets, rating_buckets, torch_device
from upwell.errors import ModelError
from upwell.events import Action
from upwell.settings import LearnerSettings

__all__ = ["KINDS", "LENGTH", "FusedModel", "HistoryBatch", "intent_weights"]

KINDS = (*(str(one) for one in Action if one is not Action.UNLIKE), "review", "query")
"""What a code in `kinds` stands for; what was taken back stands in no history."""
LENGTH = 50
WIDTH = 64
LAYERS = 1
HEADS = 2
_CHUNK = 4096
_KIND_WEIGHTS = np.array([event_weight(kind, None) for kind in KINDS], np.float32)


@dataclass(frozen=True, slots=True)
class HistoryBatch:
    """The newest item events of b users, oldest first, at most `LENGTH`.

    rows: (b, L) int32, padded on the right with -1. kinds: (b, L) uint8, places in `KINDS`.
    ratings: (b, L) float32 stars, nan for none. ts: (b, L) int64 UTC ms. lengths: (b,) how many are
    there. intents: (b, d) float32, of any length, zeros for none.
    """

    rows: NDArray[np.int32]
    kinds: NDArray[np.uint8]
    ratings: NDArray[np.float32]
    ts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    intents: NDArray[np.float32]

    def take(self, places: NDArray[np.int64]) -> HistoryBatch:
        """Those at `places`."""
        return HistoryBatch(*(getattr(self, one.name)[places] for one in fields(self)))


def intent_weights(kinds: NDArray[np.uint8], ratings: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each event's signed share in the intent, as `learner.fused.intent.event_weight` has it."""
    return np.where(
        np.isnan(ratings), _KIND_WEIGHTS[kinds], (ratings - np.float32(3.0)) / np.float32(2.0)
    ).astype(np.float32)


class FusedModel:
    """d: `dimension` of the item and intent vectors. The last column of items is their bias, of
    users 1: a score is a dot product.

    What is served is rounded to float16 where a replica gets float16, so that both rank alike. Not
    thread-safe.
    """

    def __init__(
        self, settings: LearnerSettings, dimension: int, seed: int, device: str = "auto"
    ) -> None:
        self.settings = settings
        self.dimension = dimension
        self.device = torch_device(device)
        generator = torch.Generator().manual_seed(seed)
        self.network = Network(dimension, WIDTH, LAYERS, HEADS, LENGTH, generator).to(self.device)
        self.size = 0
        self.vectors = np.zeros((0, dimension), np.float32)
        self.counts = np.zeros(0, np.float32)
        self.announced = np.zeros(0, np.bool_)
        self.identities = np.zeros((0, WIDTH + 1), np.float32)
        self.squares = np.zeros(0, np.float32)
        self._served = np.zeros((0, WIDTH + 1), np.float16)
        self._matrix = np.zeros((0, WIDTH + 1), np.float32)
        self._stale = True
        self._dirty: set[int] = set()
        self._changed: set[int] = set()

    def __len__(self) -> int:
        return self.size

    @property
    def width(self) -> int:
        """Columns of user and item vectors."""
        return WIDTH + 1

    # ---- items

    def add_items(self, vectors: NDArray[np.float32]) -> None:
        """Appends rows for (n, d) text vectors; a row of zeros is an item that is not announced
        yet. Raises `ModelError`.
        """
        rows = np.arange(self.size, self.size + len(vectors))
        self._grow(self.size + len(vectors))
        self.set_vectors(rows, vectors)

    def set_vectors(self, rows: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Gives rows new text vectors (n, d).

        Raises `ModelError` where they do not fit or are not finite.
        """
        if vectors.shape != (len(rows), self.dimension) or not np.isfinite(vectors).all():
            expected = (len(rows), self.dimension)
            raise ModelError(
                f"text vectors are of shape {vectors.shape} or not finite, expected "
                f"{expected}: encode the catalogue anew"
            )
        self.vectors[rows] = vectors
        self.announced[rows] = vectors.any(axis=1)
        self._dirty.update(rows.tolist())

    def share_text(self, other: FusedModel, rows: NDArray[np.int64]) -> None:
        """Reads the text vectors of `other`, where those of `rows` are new."""
        self._make_room(len(other.vectors))
        self.vectors, self.announced = other.vectors, other.announced
        self._dirty.update(rows.tolist())

    def count(self, rows: NDArray[np.int32]) -> None:
        """One more interaction for each of `rows` (repeats count)."""
        np.add.at(self.counts, rows, 1.0)
        self._dirty.update(np.asarray(rows).tolist())

    def _grow(self, size: int) -> None:
        self.size = max(size, self.size)
        self._make_room(room(self.size, len(self.vectors)))

    def _make_room(self, capacity: int) -> None:
        for name in (
            "vectors",
            "counts",
            "announced",
            "identities",
            "squares",
            "_served",
            "_matrix",
        ):
            setattr(self, name, grown(getattr(self, name), capacity))

    # ---- serving

    def item_matrix(self) -> NDArray[np.float32]:
        """(N, m + 1), a view that holds until the next call."""
        rows = np.arange(self.size) if self._stale else np.array(sorted(self._dirty), np.int64)
        for start in range(0, len(rows), _CHUNK):
            part = rows[start : start + _CHUNK]
            self._matrix[part] = self._vectors_of(part, self.network, self._served)
        self._stale = False
        self._dirty.clear()
        return self._matrix[: self.size]

    @torch.no_grad()
    def _vectors_of(
        self, rows: NDArray[np.int64], network: Network, served: NDArray[np.float16]
    ) -> NDArray[np.float32]:
        identities = served[rows].astype(np.float32)
        found = network.item_vectors(
            self.tensor(self.vectors[rows]), self.tensor(identities), self.tensor(self.counts[rows])
        )
        return np.asarray(found.cpu().numpy(), np.float32)

    @torch.no_grad()
    def user_vectors(self, histories: HistoryBatch) -> NDArray[np.float32]:
        """(b, m + 1) for the dot product with `item_matrix`."""
        longest = int(histories.lengths.max(initial=0))
        cut = slice(0, max(1, longest))
        places = histories.rows[:, cut].clip(min=0)
        used, codes = np.unique(places, return_inverse=True)
        if self.size == 0:
            return np.zeros((len(places), self.width), np.float32)
        table = self.tensor(self.item_matrix()[used, :WIDTH])
        events = self.events(
            codes.reshape(places.shape),
            histories.kinds[:, cut],
            histories.ratings[:, cut],
            histories.ts[:, cut],
            histories.lengths,
        )
        states = self.network.states(table, events)  # (b, L, m)
        lengths = self.tensor(histories.lengths)
        last = states[torch.arange(len(states)), (lengths - 1).clamp(min=0)]
        intents = self.tensor(histories.intents)
        users = self.join(last, intents @ self.network.project, lengths, intents.any(dim=1))
        return np.asarray(
            torch.nn.functional.pad(users, (0, 1), value=1.0).cpu().numpy(), np.float32
        )

    # ---- what training shares with serving

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
        stars = self.tensor(ratings)
        return Events(
            items=self.tensor(places),
            kinds=self.tensor(np.where(here, kinds, 0).astype(np.int64)),
            ratings=rating_buckets(stars),
            gaps=gap_buckets(self.tensor(np.where(here, ts, 0))),
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

    def trained(self, rows: NDArray[np.int64]) -> None:
        """The weights changed, and the identities of `rows`."""
        self._served[rows] = self.identities[rows].astype(np.float16)
        self._changed.update(rows.tolist())
        self._stale = True

    # ---- replicas and checkpoints

    def published(self) -> dict[str, NDArray[Any]]:
        """What a replica needs since the last call: all small weights, and `rows` with their
        `identities` (float16).
        """
        rows = np.array(sorted(self._changed), np.int32)
        self._changed.clear()
        return self._weights() | {"rows": rows, "identities": self._served[rows].copy()}

    def apply_published(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Takes over `published()`, `rows` translated to this process's.

        Raises `ModelError` where it does not fit.
        """
        _load(self.network, arrays)
        rows = arrays["rows"]
        if len(rows):
            self._grow(int(rows.max()) + 1)
            self._served[rows] = arrays["identities"]
            self.identities[rows] = arrays["identities"]
        self._stale = True

    def applying_published(self, arrays: Mapping[str, NDArray[Any]]) -> Iterator[None]:
        """`apply_published` in steps of `_CHUNK` items, to rows that there are: the new item matrix
        is made beside the one that ranks.

        All changes with the last step. Between two of them nothing is called but what serves.
        """
        network, served, matrix = deepcopy(self.network), self._served.copy(), self._matrix.copy()
        _load(network, arrays)
        served[arrays["rows"]] = arrays["identities"]
        for start in range(0, self.size, _CHUNK):
            rows = np.arange(start, min(start + _CHUNK, self.size))
            matrix[rows] = self._vectors_of(rows, network, served)
            yield
        self.apply_published(arrays)
        self._matrix, self._stale = matrix, False
        self._dirty.clear()

    def served(self) -> dict[str, NDArray[Any]]:
        """All small weights, and of every row that has one its identity (float16)."""
        rows = np.flatnonzero(self._served[: self.size].any(axis=1)).astype(np.int32)
        return self._weights() | {"rows": rows, "identities": self._served[rows].copy()}

    def forget_identities(self) -> None:
        """Every item stands on its text again.

        Row-wise learning rates stay as far as they had come down, where they are finite.
        """
        self.identities[...] = 0
        self._served[...] = 0
        self.squares[~np.isfinite(self.squares)] = 0
        self._stale = True

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything learned; identities only of rows that have one. Text vectors are the
        catalogue's.
        """
        rows = np.flatnonzero(self.squares[: self.size] > 0).astype(np.int32)
        kept = {
            "rows": rows,
            "identities": self.identities[rows].copy(),
            "squares": self.squares[rows].copy(),
        }
        return self._weights() | kept | {"counts": self.counts[: self.size].copy()}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Becomes the model whose `arrays()` these are; announce the items' vectors before or
        afterwards. Raises `ModelError`.
        """
        _load(self.network, arrays)
        self._grow(len(arrays["counts"]))
        rows = arrays["rows"]
        for array in (self.identities, self.squares, self._served, self.counts):
            array[...] = 0
        self.counts[: len(arrays["counts"])] = arrays["counts"]
        self.identities[rows], self.squares[rows] = arrays["identities"], arrays["squares"]
        self._served[rows] = arrays["identities"].astype(np.float16)
        self._changed = set(rows.tolist())
        self._stale = True

    def _weights(self) -> dict[str, NDArray[Any]]:
        return {
            f"network.{name}": weight.detach().cpu().numpy().copy()
            for name, weight in self.network.named_parameters()
        }


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
