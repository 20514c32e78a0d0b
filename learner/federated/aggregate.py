"""Many clients' changes to one model: their mean, or what a few liars among them cannot move far.

Changes are arrays by name, of the same shapes at every client. It knows nothing about what they
are changes of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "AGGREGATES",
    "Aggregate",
    "Changes",
    "clamped_sum",
    "krum",
    "least_reports",
    "mean",
    "trimmed_mean",
]

Changes = Mapping[str, NDArray[Any]]
Aggregate = Callable[[Sequence[Changes], int], dict[str, NDArray[np.float64]]]
"""Of clients' changes, and of how many of them may lie."""


def mean(
    changes: Sequence[Changes],
    events: Sequence[float],
    row_events: NDArray[np.float64] | None = None,
    by_row: Sequence[str] = (),
) -> dict[str, NDArray[np.float64]]:
    """Federated averaging (McMahan et al. 2017): each client weighs as many events as it learned.

    events: (n,). row_events: (n, N) on each item: arrays named in `by_row` have a row an item,
    which is averaged over those who learned of it, so that what one alone knows is not diluted.
    """
    shares = _shares(np.asarray(events, np.float64))
    found = {}
    for name in changes[0]:
        stack = _stack(changes, name)
        if name in by_row and row_events is not None:
            weights = _shares(row_events)
            weights = weights.reshape(weights.shape + (1,) * (stack.ndim - 2))
            found[name] = (stack * weights).sum(axis=0)
        else:
            found[name] = np.tensordot(shares, stack, axes=1)
    return found


def trimmed_mean(changes: Sequence[Changes], liars: int) -> dict[str, NDArray[np.float64]]:
    """Of each number the mean without the `liars` largest and smallest (Yin et al. 2018): whatever
    so many clients say, it lies between what two others said. All weigh the same: a weight is
    something to lie about.

    Raises `ValueError` below `least_reports`.
    """
    _check(len(changes), least_reports("trimmed-mean", liars), "a trimmed mean", liars)
    found = {}
    for name in changes[0]:
        stack = np.sort(_stack(changes, name), axis=0)
        found[name] = stack[liars : len(stack) - liars].mean(axis=0)
    return found


def krum(changes: Sequence[Changes], liars: int) -> dict[str, NDArray[np.float64]]:
    """Multi-Krum (Blanchard et al. 2017): the mean of the n - `liars` clients whose changes lie
    nearest to those of their n - `liars` - 2 nearest others.

    Raises `ValueError` below `least_reports`.
    """
    count = len(changes)
    _check(count, least_reports("krum", liars), "Krum", liars)
    flat = np.stack(
        [np.concatenate([np.ravel(one[name]) for name in sorted(one)]) for one in changes]
    ).astype(np.float64)
    gaps = np.array([[np.square(one - other).sum() for other in flat] for one in flat])
    nearest = np.sort(gaps, axis=1)[:, 1 : count - liars - 1]
    chosen = np.argsort(nearest.sum(axis=1), kind="stable")[: count - liars]
    return {
        name: _stack([changes[one] for one in chosen], name).mean(axis=0) for name in changes[0]
    }


def clamped_sum(values: NDArray[np.float64], liars: int, floor: float) -> NDArray[np.float64]:
    """(n, …) counts at or above zero → their sum, where each is at most what the (`liars` + 1)-th
    largest client says, or `floor` where that is more: an item that one client alone has still
    counts, and `liars` clients add at most what as many honest ones could, or `liars` · `floor`.
    """
    if liars >= len(values):
        return np.asarray(np.minimum(values, floor).sum(axis=0), np.float64)
    bound = np.sort(values, axis=0)[len(values) - 1 - liars]
    return np.asarray(np.minimum(values, np.maximum(bound, floor)).sum(axis=0), np.float64)


def least_reports(aggregate: str, liars: int) -> int:
    """Below which so many liars could not be told from the others."""
    return {"mean": 1, "trimmed-mean": 2 * liars + 1, "krum": 2 * liars + 3}[aggregate]


AGGREGATES: Mapping[str, Aggregate] = {"trimmed-mean": trimmed_mean, "krum": krum}
"""Those that need no weights."""


def _stack(changes: Sequence[Changes], name: str) -> NDArray[np.float64]:
    """Of one name, (n, …)."""
    return np.stack([np.asarray(one[name], np.float64) for one in changes])


def _shares(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, …) that sum to 1 over the clients; 0 where nobody has any."""
    total = weights.sum(axis=0)
    shares = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
    return np.asarray(shares, np.float64)


def _check(count: int, least: int, what: str, liars: int) -> None:
    if count < least:
        raise ValueError(f"{what} against {liars} liars needs {least} reports, there are {count}")
