"""The fused model as it ranks, in NumPy: a list for one user is some forty small steps, which torch
takes ten times as long to start as to do.

The same numbers as `learner.fused.network`, which is trained, up to their last digits. Of each user
only the newest state is computed, from which the list is made. It knows nothing about training.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.kernel import kernel
from learner.fused.histories import HistoryBatch
from learner.fused.shapes import GAPS, RATINGS

__all__ = ["Floats", "Reader", "gap_buckets", "rating_buckets"]

_EPSILON = 1e-5  # of torch's layer norm
_SHORTEST = 1e-6
_STAR_STEP = 0.5  # between two rating buckets
Floats = NDArray[np.float32]


class Reader:
    """weights: of a `Network` by their names, float32. They are read where they stand: what changes
    them in place changes what is read.
    """

    def __init__(self, weights: Mapping[str, Floats], layers: int, heads: int) -> None:
        self._w = weights
        self._layers = layers
        self._heads = heads

    def item_vectors(self, texts: Floats, identities: Floats, counts: Floats) -> Floats:
        """(n, d), (n, m + 1), (n,) → (n, m + 1), the last column the item's bias."""
        with np.errstate(invalid="ignore"):  # a poisoned model is the guard's to find
            half = np.logaddexp(0.0, self._w["half_trust"])
        found = (counts / (counts + half))[:, None] * identities
        found[:, :-1] += texts @ self._w["project"]
        found[:, -1] += self._w["popular"] * np.log1p(counts)
        return np.asarray(found, np.float32)

    def as_texts(self, users: Floats) -> Floats:
        """(b, m + 1) users → (b, d), whose product with an item's text is that with what the text
        alone makes of it.
        """
        return np.asarray(users[:, :-1] @ self._w["project"].T, np.float32)

    @property
    def trust(self) -> Floats:
        """(2,) events from which an identity counts half, and the weight of ln(1 + events)."""
        with np.errstate(invalid="ignore"):
            half = np.logaddexp(0.0, self._w["half_trust"])
        return np.array([half[0], self._w["popular"][0]], np.float32)

    def user_vectors(self, table: Floats, codes: NDArray[np.intp], users: HistoryBatch) -> Floats:
        """(n, m) vectors of items, (b, L) places in it, histories of b users (longer or as long as
        L) → (b, m + 1), the last column 1.
        """
        newest = np.maximum(users.lengths - 1, 0)
        found = np.ones((len(newest), table.shape[1] + 1), np.float32)
        some, wished = users.lengths > 0, users.intents.any(axis=1)
        found[:, :-1] = np.where(some[:, None], self._states(table, codes, users, newest), 0.0)
        found[wished, :-1] += self._wishes(users.intents[wished], users.lengths[wished])
        found[~(some | wished), :-1] = self._w["default"]
        return found

    def _states(
        self, table: Floats, codes: NDArray[np.intp], users: HistoryBatch, newest: NDArray[np.int64]
    ) -> Floats:
        """(b, m) what each is like after the newest event."""
        weights, cut = self._w, slice(0, codes.shape[1])
        here = np.arange(codes.shape[1]) < users.lengths[:, None]
        x = table[codes]  # (b, L, m)
        x += weights["kind"][np.where(here, users.kinds[:, cut], 0)]
        x += weights["rating"][rating_buckets(users.ratings[:, cut])]
        x += weights["gap"][gap_buckets(np.where(here, users.ts[:, cut], 0))]
        for layer in range(self._layers - 1):
            states = [self._layer(layer, x, np.full(len(x), place)) for place in range(x.shape[1])]
            x = np.stack(states, axis=1)
        return self._norm("last", self._layer(self._layers - 1, x, newest))

    def _layer(self, number: int, x: Floats, at: NDArray[np.int64]) -> Floats:
        """(b, L, m) → (b, m) of the places `at`, each of which sees those up to it."""
        name, (count, length, width) = f"layers.{number}", x.shape
        each, users = width // self._heads, np.arange(count)
        qkv = self._w[f"{name}.qkv.weight"]
        normed = self._norm(f"{name}.before_attention", x)
        split = (count, length, self._heads, each)
        k = (normed @ qkv[width : 2 * width].T).reshape(split)
        v = (normed @ qkv[2 * width :].T).reshape(split)
        q = (normed[users, at] @ qkv[:width].T).reshape(count, self._heads, each)
        away = at[:, None] - np.arange(length)  # (b, L)
        bias = self._w[f"{name}.distance"][:, np.maximum(away, 0)].swapaxes(0, 1)  # (b, H, L)
        seen = np.einsum("bhd,blhd->bhl", q, k) / np.float32(math.sqrt(each)) + bias
        seen[np.broadcast_to((away < 0)[:, None], seen.shape)] = -np.inf
        seen = np.exp(seen - seen.max(axis=2, keepdims=True))
        seen /= seen.sum(axis=2, keepdims=True)
        read = np.einsum("bhl,blhd->bhd", seen, v).reshape(count, width)
        found = x[users, at] + read @ self._w[f"{name}.joined.weight"].T
        fed = self._linear(f"{name}.feed", self._norm(f"{name}.before_feed", found))
        _gelu(fed)
        return np.asarray(found + self._linear(f"{name}.back", fed), np.float32)

    def _wishes(self, intents: Floats, lengths: NDArray[np.int64]) -> Floats:
        direction = intents @ self._w["project"]
        norm = np.sqrt(np.einsum("bm,bm->b", direction, direction))
        direction /= np.maximum(norm, np.float32(_SHORTEST))[:, None]
        bias, slope = self._w["wish_gate"]
        gate = 4.0 / (1.0 + np.exp(-(bias + slope * np.log1p(lengths))))
        return np.asarray(gate[:, None] * (direction @ self._w["wish"]), np.float32)

    def _norm(self, name: str, x: Floats) -> Floats:
        x = x - x.mean(axis=-1, keepdims=True)
        deviation = np.sqrt((x * x).mean(axis=-1, keepdims=True) + np.float32(_EPSILON))
        return np.asarray(x / deviation * self._w[f"{name}.weight"] + self._w[f"{name}.bias"])

    def _linear(self, name: str, x: Floats) -> Floats:
        return np.asarray(x @ self._w[f"{name}.weight"].T + self._w[f"{name}.bias"])


def rating_buckets(ratings: Floats) -> NDArray[np.int64]:
    """Half stars from .5 to 5 as 0..9, none (nan) as 10."""
    none = np.isnan(ratings)
    stars = np.rint(np.where(none, _STAR_STEP, ratings) / _STAR_STEP - 1).clip(0, RATINGS - 2)
    return np.where(none, RATINGS - 1, stars).astype(np.int64)


def gap_buckets(ts: NDArray[np.int64]) -> NDArray[np.int64]:
    """(b, L) UTC ms to the binary logarithm of the seconds since the event before; first: 0."""
    gaps = np.zeros(ts.shape, np.float32)
    gaps[:, 1:] = np.maximum(ts[:, 1:] - ts[:, :-1], 0) / 1000
    return np.minimum(np.floor(np.log2(1 + gaps)).astype(np.int64), GAPS - 1)


@kernel
def _gelu(x: NDArray[Any]) -> None:
    flat = x.ravel()
    for place in range(len(flat)):
        flat[place] *= 0.5 * (1.0 + math.erf(flat[place] / math.sqrt(2.0)))
