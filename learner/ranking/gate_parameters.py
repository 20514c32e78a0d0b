"""The gate's weights and biases as parameters: what changed, what others take over.

It knows nothing about how they are learned or read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.kernel import room
from learner.fused.digest import row_digests
from learner.ranking.explain import UPTAKE
from learner.ranking.gate import BANDS, FEATURES, PER_SIGNAL, empty_gate, widened
from learner.ranking.names import SIGNALS
from upwell.errors import ModelError

__all__ = ["Gate"]

_SMALL = ("weights", "squares", "wear", "lifetime", "repeats")
"""Arrays that always go out whole."""
_COLUMN = 127  # of a row's digest: before it stand identities
_ADDED = (
    frozenset({"categories_5", "categories_30", "years_5", "level_3", "level_10"}),
    frozenset({"relations", "relation_1", "relation_2", "relations_far", "order_5", "order_30"}),
    frozenset({"price_10", "brand_30"}),
    frozenset({"lifetime", "again", "again_lately"}),
)
"""Signals that versions brought, the oldest first; all others are as they were."""


def _features_without(added: frozenset[str]) -> list[int]:
    return [
        feature
        for feature in range(FEATURES)
        if not added.intersection(SIGNALS[feature // PER_SIGNAL : feature // PER_SIGNAL + 1])
    ]


_BEFORE = [
    _features_without(frozenset().union(*_ADDED[version:])) for version in range(len(_ADDED))
]
"""Of each of these versions the features that the one before it had."""


class Gate:
    """state: the arrays that the kernels read and, of the one that learns, write."""

    def __init__(self) -> None:
        self.state = empty_gate()
        self._biased = True

    def grow(self, size: int) -> None:
        """Makes room for `size` items."""
        if self._biased and size > len(self.state.bias):
            self.state = widened(self.state, room(size, len(self.state.bias)))

    def mute(self, signals: Sequence[str]) -> None:
        """Holds the weights of `signals` at zero from here on, for an ablation; `UPTAKE` stands for
        the items' biases.

        Raises `ValueError` for an unknown name.
        """
        self._biased = self._biased and UPTAKE not in signals
        for signal in (one for one in signals if one != UPTAKE):
            columns = slice(
                PER_SIGNAL * SIGNALS.index(signal), PER_SIGNAL * (SIGNALS.index(signal) + 1)
            )
            self.state.weights[:, columns] = 0.0
            self.state.squares[:, columns] = np.inf  # AdaGrad's step is then zero

    def forget(self, rows: NDArray[np.int64]) -> None:
        """These rows have no bias."""
        rows = rows[rows < len(self.state.bias)]
        self.state.bias[rows] = 0.0
        self.state.moved[rows] = False

    def changes(self) -> dict[str, NDArray[Any]]:
        """See `Parameters`: the weights whole, and the biases that moved."""
        rows = np.flatnonzero(self.state.moved)
        self.state.moved[:] = False
        return self._arrays(rows)

    def whole(self) -> dict[str, NDArray[Any]]:
        """See `Parameters`: all biases that are not zero."""
        return self._arrays(np.flatnonzero(self.state.bias))

    def take(self, arrays: Mapping[str, NDArray[Any]], whole: bool = False) -> Iterator[None]:
        """See `Parameters`; it is small, and one step."""
        arrays = _of_this_version(arrays)
        self._check(arrays)
        rows = arrays["rows"]
        self.grow(int(rows.max(initial=-1)) + 1)
        if whole:
            self.state.bias[:] = 0.0
            self.state.moved[:] = False
        fresh = empty_gate()._asdict()  # what an older version had not
        kept = {name: np.array(arrays.get(name, fresh[name])) for name in _SMALL}
        self.state = self.state._replace(**kept)
        self.state.bias[rows] = arrays["bias"]
        yield from ()

    def _check(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Raises `ModelError`: kernels read past the end of a row that is too short."""
        for name in ("weights", "squares"):
            given, own = arrays[name].shape, empty_gate().weights.shape
            if given != own:
                raise ModelError(
                    f"gate: {name} are of shape {given}, expected {own}: a version with other "
                    "signals made them; replay the log under another UPWELL_PREFIX and UPWELL_DATA"
                )

    def row_digests(self, size: int) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
        """Rows below `size` that have a bias, and the digests of these."""
        biases = self.state.bias[:size]
        rows = np.flatnonzero(biases)
        return rows, row_digests(biases[rows, None], _COLUMN)

    def _arrays(self, rows: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        return {
            **{name: self.state._asdict()[name].copy() for name in _SMALL},
            "rows": rows.astype(np.int32),
            "bias": self.state.bias[rows],
        }


def _of_this_version(arrays: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
    """The signals that an older version had not are as they begin."""
    fresh, found = empty_gate(), dict(arrays)
    for name, whole in (("weights", fresh.weights), ("squares", fresh.squares)):
        for before in _BEFORE:
            if arrays[name].shape == (1 + BANDS, len(before)):
                whole[:, before] = arrays[name]
                found[name] = whole
    return found
