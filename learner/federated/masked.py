"""Secure aggregation: each client adds to its numbers masks that cancel in the sum of all members,
so that a server that has no key learns the sum and nothing else (Bonawitz et al. 2017). The keys of
pairs come of one secret that all clients share.

Where a member is missing, the sum says nothing, and the others mask anew without it. It knows
nothing about where the secret comes from.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from learner.counts.popularity import COUNT
from learner.federated.counted import ADDED, WIDTH, Counted, Passed, empty_counted
from learner.federated.report import Report
from learner.federated.state import BY_ITEM

__all__ = ["LEAST_MEMBERS", "length", "masked", "opened", "packed", "summed_up"]

LEAST_MEMBERS = 3
"""Of two, each would learn the other's numbers from the sum."""
_SCALE = 2.0**16
"""Fixed point: a number is rounded to a part in so many."""
_LAST = 3  # events, those of newcomers, whether the fused model was trained
Weights = Mapping[str, NDArray[np.float32]]


def packed(report: Report) -> NDArray[np.float64]:
    """(v,) what is summed: changes by how many events they are of, counts, and how many events
    there were. Tables of pairs have no fixed shape and stay.
    """
    on_items = report.counted.sums[ADDED.index(COUNT)]
    parts = []
    for name, one in sorted(report.weights.items()):
        weight = on_items if name in BY_ITEM else np.array(float(report.passed.events))
        parts.append((one * weight.reshape(weight.shape + (1,) * (one.ndim - weight.ndim))).ravel())
    passed = report.passed
    last = np.array([passed.events, passed.newcomers, report.ready], np.float64)
    return np.concatenate([*parts, report.counted.sums.ravel(), last]).astype(np.float64)


def masked(
    numbers: NDArray[np.float64], name: str, members: Sequence[str], secret: bytes, about: str
) -> NDArray[np.uint64]:
    """(v,) modulo 2^64. about: of the round and the attempt: no mask is used twice. Raises
    `ValueError` where the sum would be of too few, or of others.
    """
    others = sorted(set(members) - {name})
    if name not in members or len(others) + 1 < LEAST_MEMBERS:
        raise ValueError(
            f"a sum over {len(others) + 1} members would say too much: at least {LEAST_MEMBERS}"
        )
    found = np.round(numbers * _SCALE).astype(np.int64).view(np.uint64).copy()
    for other in others:
        first, second = sorted((name, other))
        mask = _mask(secret, first, second, about, len(found))
        found = found + mask if name < other else found - mask
    return found


def opened(reports: Sequence[NDArray[np.uint64]]) -> NDArray[np.float64]:
    """(v,) the sum of all members' numbers."""
    total = np.zeros_like(reports[0])
    for one in reports:
        total = total + one
    return total.view(np.int64) / _SCALE


def summed_up(
    total: NDArray[np.float64], like: Weights, size: int
) -> tuple[dict[str, NDArray[np.float64]], Counted, Passed, bool]:
    """Of `opened`: the mean change of each weight, counts, events, and whether anybody trained the
    fused model.
    """
    counts = empty_counted(size)
    end = len(total) - _LAST
    counts.sums[:] = np.maximum(total[end - WIDTH * size : end].reshape(WIDTH, size), 0.0)
    events, newcomers, ready = np.maximum(np.round(total[end:]), 0.0)
    on_items = counts.sums[ADDED.index(COUNT)]
    moved, start = {}, 0
    for name, one in sorted(like.items()):
        part = total[start : start + one.size].reshape(one.shape)
        weight = on_items if name in BY_ITEM else np.array(events)
        weight = weight.reshape(weight.shape + (1,) * (one.ndim - weight.ndim))
        moved[name] = np.divide(
            part, weight, out=np.zeros(one.shape), where=np.broadcast_to(weight, one.shape) > 0.5
        )
        start += one.size
    return moved, counts, Passed(int(events), int(newcomers)), bool(ready)


def length(like: Weights, size: int) -> int:
    """Of `packed`."""
    return sum(math.prod(one.shape) for one in like.values()) + WIDTH * size + _LAST


def _mask(secret: bytes, first: str, second: str, about: str, count: int) -> NDArray[np.uint64]:
    """(count,) of a pair; SHAKE-256 of the secret and of what it is for."""
    seed = hashlib.shake_256()
    for word in (secret, first.encode(), second.encode(), about.encode()):
        seed.update(len(word).to_bytes(8, "little") + word)
    return np.frombuffer(seed.digest(8 * count), "<u8").astype(np.uint64)
