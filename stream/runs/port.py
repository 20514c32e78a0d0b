"""Where a run's curves and figures go, as whoever makes a run sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Curves", "Distributions", "Told"]

Distributions = Mapping[str, NDArray[np.floating[Any]]]
Told = Mapping[str, str | int | float]


class Curves(Protocol):
    """Called on one thread, each time with all that there is at that point. Each call is on the
    disk when it returns, or raises `OSError`; the next one may go well.
    """

    def describe(self, told: Told, at: float) -> None:
        """What the run is, by name, once. at: UTC seconds. Raises `OSError`."""
        ...

    def write(
        self, step: int, at: float, scalars: Mapping[str, float], distributions: Distributions
    ) -> None:
        """at: UTC seconds. distributions: (n,) finite values each. Raises `OSError` where nothing
        can be written now.
        """
        ...

    def close(self, failed: bool = False) -> None:
        """Nothing is written any more. failed: the run ended before its end. Raises `OSError`."""
        ...
