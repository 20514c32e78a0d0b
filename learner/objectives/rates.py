"""How often what may follow a click on an item did: counted by item, fading with the item's own
openings, so that a rate is of its newest hundreds and memory is bounded.

A row is sent whole where it changed, and the one that was counted further stays: deltas may come
again. It knows nothing about scores.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.features import Features
from learner.catalogue.kernel import grown, room
from learner.objectives.outcomes import OPENED, RETURNED, outcomes
from learner.objectives.value import Groups, groups_of, value_terms
from upwell.errors import ModelError
from upwell.settings import objective_weights
from upwell.values import Example

__all__ = ["HALF_LIFE", "Lifts", "Rates"]

Lifts = Mapping[str, NDArray[np.float64]]
"""By share what is added to the scores of the first rows; nothing where one is empty."""

ROWS, SUMS = "objectives.rows", "objectives.sums"
HALF_LIFE = 500.0
"""Openings of the item, after which what was counted of it counts half."""
_KEPT = 0.5 ** (1.0 / HALF_LIFE)
_COUNTED = RETURNED + 1
"""The column of how often a row was changed: it only grows."""
_COLUMNS = _COUNTED + 1


class Rates:
    """Owns (N, 6) sums by row: the five of `outcomes`, and how often each row was changed. Empty
    until something is counted.
    """

    def __init__(self) -> None:
        self._sums = np.zeros((0, _COLUMNS))
        self._changed: set[int] = set()
        self._groups: tuple[int, Groups] | None = None
        self._terms: tuple[str, int, dict[str, NDArray[np.float64]]] | None = None

    def learn(
        self,
        examples: Sequence[Example],
        weights: NDArray[np.float32],
        row_of: Callable[[str], int],
    ) -> None:
        """Takes in examples on items, in their order. weights: (b,) of what each adds."""
        for example, weight in zip(examples, weights.tolist(), strict=True):
            for column, item_id in outcomes(example.event, example.history):
                self._add(row_of(item_id), column, weight)

    def _add(self, row: int, column: int, weight: float) -> None:
        self._grow(row + 1)
        if column == OPENED:
            self._sums[row, :_COUNTED] *= _KEPT
        self._sums[row, column] += weight
        self._sums[row, _COUNTED] += 1.0
        self._changed.add(row)
        self._terms = None

    def _grow(self, rows: int) -> None:
        if rows > len(self._sums):
            self._sums = grown(self._sums, room(rows, len(self._sums)))

    def stale(self) -> None:
        """What the catalogue says of items has changed."""
        self._groups = self._terms = None

    def terms(
        self, objectives: str | None, features: Features, rows: int
    ) -> dict[str, NDArray[np.float64]]:
        """By objective (rows,) what is added to scores; empty where none is set or nothing was
        counted. objectives: as in the settings.
        """
        weights = objective_weights(objectives)
        if objectives is None or weights is None or not len(self._sums):
            return {}
        if self._terms is None or self._terms[:2] != (objectives, rows):
            self._grow(rows)
            if self._groups is None or self._groups[0] != rows:
                self._groups = rows, groups_of(features, rows)
            found = value_terms(weights, self._sums[:rows], self._groups[1])
            self._terms = objectives, rows, found
        return self._terms[2]

    def forget(self, gone: NDArray[np.bool_]) -> None:
        """Nothing was counted for the items that are true in `gone`."""
        self._sums[gone[: len(self._sums)]] = 0.0
        self._changed -= set(np.flatnonzero(gone).tolist())
        self.stale()

    # ---- what others take over

    def changes(self) -> dict[str, NDArray[Any]]:
        """Rows that changed since the last call, and their sums; nothing where none did."""
        if not self._changed:
            return {}
        rows = np.array(sorted(self._changed), np.int32)
        self._changed = set()
        return {ROWS: rows, SUMS: self._sums[rows]}

    def take(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Takes over `changes()` of others; of a row that was counted further here nothing. Raises
        `ModelError` where they do not fit.
        """
        if SUMS not in arrays:
            return
        rows, sums = arrays[ROWS], arrays[SUMS]
        if sums.shape != (len(rows), _COLUMNS) or not bool(np.isfinite(sums).all()):
            raise ModelError(
                f"rates of shape {sums.shape} for {len(rows)} items, expected finite numbers of "
                f"shape ({len(rows)}, {_COLUMNS}): run one version of upwell everywhere"
            )
        self._grow(int(rows.max(initial=-1)) + 1)
        newer = sums[:, _COUNTED] >= self._sums[rows, _COUNTED]
        self._sums[rows[newer]] = sums[newer]
        self._terms = None

    # ---- checkpoints

    def arrays(self, rows: int) -> dict[str, NDArray[Any]]:
        """What was counted of the first `rows` items; nothing where nothing was."""
        return {SUMS: self._sums[:rows].copy()} if len(self._sums) else {}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Takes over what `arrays` gave; nothing of a checkpoint that has none."""
        self._sums = arrays[SUMS].copy() if SUMS in arrays else np.zeros((0, _COLUMNS))
        self._changed = set()
        self.stale()
