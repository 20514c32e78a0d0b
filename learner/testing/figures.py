"""Prequential figures of the model and of its live peers, by slice: all, cold user, cold item,
warm.

It counts ranks that it is handed; it knows nothing about how they came about. The rules are those
of the protocol: ranks over the whole catalogue, ties at the mean rank, items had left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["CUTOFF", "MODEL", "PEERS", "RUNNING_HALF_LIFE", "SLICES", "Figures", "gini"]

MODEL = "model"
PEERS = (
    "popularity",
    "popularity_50",
    "popularity_200",
    "popularity_1000",
    "popularity_5000",
    "covisitation",
    "transition_10",
    "text_similarity",
)
SLICES = ("all", "cold_user", "cold_item", "warm")
CUTOFF = 10
RUNNING_HALF_LIFE = 1_000.0
_NDCG, _HIT, _RECIPROCAL = range(3)


class Figures:
    """Running sums of NDCG@10, HR@10 and reciprocal rank for each of `names` (model first, then
    peers) and each of `SLICES`.
    """

    names: tuple[str, ...] = (MODEL, *PEERS)

    def __init__(self) -> None:
        self._sums = np.zeros((len(self.names), len(SLICES), 3))
        self._targets = np.zeros(len(SLICES))
        self._shown = np.zeros(0)
        self._catalogue = np.zeros(1)
        self._recent = np.zeros((len(self.names), len(SLICES), 2))  # decayed gains and hits
        self._weights = np.zeros(len(SLICES))  # of both

    def record(
        self,
        ranks: NDArray[np.float64],
        top: NDArray[np.int32],
        cold_user: NDArray[np.bool_],
        cold_item: NDArray[np.bool_],
        catalogue: int,
    ) -> None:
        """ranks: (n, names) of n targets, from 1. top: (n, 10) rows the model would show, -1 where
        fewer. catalogue: its size now.
        """
        gains = np.where(ranks <= CUTOFF, 1.0 / np.log2(1.0 + ranks), 0.0)
        values = np.stack([gains, ranks <= CUTOFF, 1.0 / ranks], axis=2)  # (n, names, 3)
        member = np.stack(
            [np.ones_like(cold_user), cold_user, cold_item, ~(cold_user | cold_item)], axis=1
        ).astype(float)  # (n, slices)
        self._sums += np.einsum("ns,nmf->msf", member, values)
        self._targets += member.sum(axis=0)
        shown = top[top >= 0]
        if len(shown) and shown.max() >= len(self._shown):
            self._shown = np.concatenate(
                [self._shown, np.zeros(2 * int(shown.max()) + 1 - len(self._shown))]
            )
        np.add.at(self._shown, shown, 1.0)
        self._catalogue[0] = catalogue
        self._decay(member, values[:, :, :_RECIPROCAL])

    def _decay(self, member: NDArray[np.float64], values: NDArray[np.float64]) -> None:
        """member: (n, slices) 0 or 1; values: (n, names, 2). Each slice forgets by its own targets,
        so that a seldom one is not all of the last hour.
        """
        keep = 2.0 ** (-1.0 / RUNNING_HALF_LIFE)
        later = member.sum(axis=0) - member.cumsum(axis=0)  # (n, slices) targets after each
        weights = member * keep**later
        kept = keep ** member.sum(axis=0)  # (slices,)
        self._recent = self._recent * kept[:, None] + np.einsum("ns,nmf->msf", weights, values)
        self._weights = self._weights * kept + weights.sum(axis=0)

    def reset(self) -> None:
        """Starts counting here (what came before was warm-up).

        The decayed running figures go on.
        """
        for array in (self._sums, self._targets, self._shown):
            array[...] = 0.0

    @property
    def targets(self) -> dict[str, int]:
        """How many targets were tested, by slice."""
        return {name: int(count) for name, count in zip(SLICES, self._targets, strict=True)}

    def ndcg10(self, name: str = MODEL) -> dict[str, float]:
        """NDCG@10 by slice; nan where a slice had no target."""
        return self._mean(name, _NDCG)

    def hr10(self, name: str = MODEL) -> dict[str, float]:
        """HR@10 by slice; nan where a slice had no target."""
        return self._mean(name, _HIT)

    def mrr(self, name: str = MODEL) -> dict[str, float]:
        """Mean reciprocal rank by slice; nan where a slice had no target."""
        return self._mean(name, _RECIPROCAL)

    @property
    def coverage10(self) -> float:
        """The share of the catalogue that stood in some tested top 10 of the model."""
        return float(np.count_nonzero(self._shown)) / max(1.0, float(self._catalogue[0]))

    @property
    def gini(self) -> float:
        """Gini index of the exposure in the model's tested top 10 over the catalogue: 0 is even, 1
        is all on one item.
        """
        return gini(self._shown, int(self._catalogue[0]))

    @property
    def running(self) -> tuple[float, float]:
        """(HR@10, NDCG@10) of the model with a half-life of 1,000 targets, for a progress bar; 0
        before the first target.
        """
        weight = float(self._weights[0])
        gains, hits = (float(value) for value in self._recent[0, 0])
        return (hits / weight, gains / weight) if weight > 0.0 else (0.0, 0.0)

    def report(self) -> dict[str, Any]:
        """JSON-ready: {"targets", "model": {"ndcg10", "hr10", "mrr", "coverage10", "gini"},
        "peers": {name: {"ndcg10", "hr10", "mrr"}}, "running": {name: {"ndcg10", "hr10"}}}.

        Figures by slice; None where a slice had no target. running: with a half-life of 1,000
        targets of the slice.
        """
        return {
            "targets": self.targets,
            MODEL: self._of(MODEL) | {"coverage10": self.coverage10, "gini": _known(self.gini)},
            "peers": {name: self._of(name) for name in PEERS},
            "running": {name: self._running_of(name) for name in self.names},
        }

    def arrays(self) -> dict[str, NDArray[np.float64]]:
        """The sums, for a checkpoint."""
        return {
            "sums": self._sums.copy(),
            "targets": self._targets.copy(),
            "shown": self._shown.copy(),
            "catalogue": self._catalogue.copy(),
            "running": np.array([*self._recent[0, 0, ::-1], self._weights[0]]),
            "recent": self._recent.copy(),
            "weights": self._weights.copy(),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Takes over what `arrays` gave. An older version kept running figures of the model over
        all targets alone (`running`, which it reads of newer ones): the others begin anew.
        """
        self._sums, self._targets, self._shown, self._catalogue = (
            np.array(arrays[name], np.float64) for name in ("sums", "targets", "shown", "catalogue")
        )
        if "recent" in arrays:
            self._recent, self._weights = (
                np.array(arrays[name], np.float64) for name in ("recent", "weights")
            )
            return
        hits, gains, weight = arrays["running"]
        self._recent[...] = self._weights[...] = 0.0
        self._recent[0, 0], self._weights[0] = (gains, hits), weight

    def _mean(self, name: str, figure: int) -> dict[str, float]:
        sums = self._sums[self.names.index(name), :, figure]
        return {
            slice_: float(total / count) if count else math.nan
            for slice_, total, count in zip(SLICES, sums, self._targets, strict=True)
        }

    def _running_of(self, name: str) -> dict[str, dict[str, float | None]]:
        sums = self._recent[self.names.index(name)]  # (slices, 2)
        return {
            figure: {
                slice_: float(total / weight) if weight else None
                for slice_, total, weight in zip(SLICES, sums[:, place], self._weights, strict=True)
            }
            for place, figure in enumerate(("ndcg10", "hr10"))
        }

    def _of(self, name: str) -> dict[str, dict[str, float | None]]:
        figures = {"ndcg10": self.ndcg10(name), "hr10": self.hr10(name), "mrr": self.mrr(name)}
        return {
            figure: {slice_: _known(value) for slice_, value in values.items()}
            for figure, values in figures.items()
        }


def gini(exposure: NDArray[np.float64], items: int) -> float:
    """Gini index of what each of so many items had: 0 is even, 1 is all on one; nan of nothing.
    Items beyond `exposure` had none.
    """
    shown = np.sort(exposure[exposure > 0.0])
    n, total = max(items, len(shown)), float(shown.sum())
    if n == 0 or total == 0.0:
        return math.nan
    places = n - len(shown) + np.arange(1, len(shown) + 1)  # items never shown stand before these
    return float(2.0 * (places * shown).sum() / (n * total) - (n + 1.0) / n)


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
