"""What lists are to users by how active they are: how many of the lists are theirs, and how well
these are calibrated to what they liked. It names no user.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from learner.testing.groups import ACTIVITY
from stream.fairness.calibration import category_mix, divergence
from stream.fairness.exposure import HALF_LIFE, discounts

__all__ = ["UserGroups"]

_KEPT = 2.0 ** (-1.0 / HALF_LIFE)


class UserGroups:
    """Faded as exposure is, by all lists."""

    NEWEST = 50
    """Of what a user liked, that a list is compared with."""

    def __init__(self) -> None:
        self._sums = np.zeros((len(ACTIVITY), 3))  # lists, those compared, their divergence

    def add(self, band: int, liked: NDArray[np.int32], shown: NDArray[np.int32]) -> float | None:
        """One list, and its divergence. band: place in `ACTIVITY`. liked, shown: (n, m) codes of
        the categories of what the user liked, and of the list, best first; -1 where an item has
        fewer.

        Where either has no category there is nothing to compare, which is None.
        """
        self._sums *= _KEPT
        self._sums[band, 0] += 1.0
        wish = category_mix(liked, np.ones(len(liked)))
        mix = category_mix(shown, discounts(len(shown)))
        if not (wish.any() and mix.any()):
            return None
        far = divergence(wish, mix)
        self._sums[band, 1:] += (1.0, far)
        return far

    def report(self) -> dict[str, dict[str, float | None]]:
        """JSON-ready, by `ACTIVITY`: the group's share of the `lists`, and the mean `divergence` of
        their categories from what was liked; None where nothing was compared.
        """
        total = self._sums[:, 0].sum()
        return {
            name: {
                "lists": float(lists / total) if total else None,
                "divergence": float(far / compared) if compared else None,
            }
            for name, (lists, compared, far) in zip(ACTIVITY, self._sums, strict=True)
        }
