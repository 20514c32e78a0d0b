"""What lists earned, target by target. It knows nothing about how they were made."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

__all__ = ["SLICES", "Worth"]

SLICES = ("all", "new_user", "new_item", "again")
_HOUR_MS = 3_600_000


class Worth:
    """targets: counted so far, by slice."""

    def __init__(self) -> None:
        self.targets: Counter[str] = Counter()
        self._gains: defaultdict[str, float] = defaultdict(float)
        self._hits: Counter[str] = Counter()
        self._ages: list[float] = []
        self._listed: set[str] = set()

    def add(
        self, item_id: str, listed: Sequence[str], slices: Sequence[str], ages_ms: Sequence[int]
    ) -> None:
        """A list, best first, and the item that was taken. ages_ms: of what is listed."""
        place = listed.index(item_id) if item_id in listed else None
        gain = 0.0 if place is None else 1.0 / math.log2(2.0 + place)
        for name in slices:
            self.targets[name] += 1
            self._gains[name] += gain
            self._hits[name] += place is not None
        self._listed.update(listed)
        if ages_ms:
            self._ages.append(sum(ages_ms) / len(ages_ms) / _HOUR_MS)

    def figures(self, slices: Sequence[str]) -> dict[str, Any]:
        """JSON-ready: NDCG@10 and HR@10 by slice, the median age of lists in hours (None where
        nothing was listed), how many items stood in one.
        """
        return {
            "ndcg10": {name: round(self._mean(self._gains, name), 4) for name in slices},
            "hr10": {name: round(self._mean(self._hits, name), 4) for name in slices},
            "age_h": round(median(self._ages), 1) if self._ages else None,
            "listed": len(self._listed),
        }

    def cells(self, slices: Sequence[str]) -> list[str]:
        """For a table: HR@10, NDCG@10 by slice, age, items."""
        told = self.figures(slices)
        age = "–" if told["age_h"] is None else f"{told['age_h']:,.1f}"
        gains = [f"{told['ndcg10'][name]:.4f}" for name in slices]
        return [f"{told['hr10']['all']:.4f}", *gains, age, f"{told['listed']:,}"]

    def _mean(self, sums: Mapping[str, float], name: str) -> float:
        return sums.get(name, 0.0) / self.targets[name] if self.targets[name] else 0.0
