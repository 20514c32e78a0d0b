"""Places by value, the highest first: what ranks are read from. It knows nothing about signals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.kernel import kernel

__all__ = ["best_first"]

_DIGITS = 11
_BUCKETS = 1 << _DIGITS
_LOW = np.uint32(_BUCKETS - 1)
_SIGN = np.uint32(1 << 31)

Places = NDArray[np.int32]


@kernel
def _above_the_lowest(values: NDArray[np.float32], order: Places) -> int:
    """Writes the places above the lowest value to the front of `order`, the others behind them;
    returns how many are above.
    """
    lowest, above, rest = np.float32(np.inf), 0, len(values)
    for value in values:
        if value < lowest:
            lowest = value
    for position in range(len(values)):
        if values[position] > lowest:
            order[above] = position
            above += 1
        else:
            rest -= 1
            order[rest] = position
    return above


@kernel
def _keys(values: NDArray[np.float32], order: Places) -> NDArray[np.uint32]:
    """Numbers that rise as the values at `order` fall: the bits of a float, flipped."""
    bits = values.view(np.uint32)
    keys = np.empty(len(order), np.uint32)
    for place in range(len(order)):
        one = bits[order[place]]
        keys[place] = one if one & _SIGN else ~(one | _SIGN)
    return keys


@kernel
def _by_digit(
    keys: NDArray[np.uint32],
    order: Places,
    shift: int,
    new_keys: NDArray[np.uint32],
    new_order: Places,
) -> None:
    starts = np.zeros(_BUCKETS, np.int32)
    for key in keys:
        starts[(key >> np.uint32(shift)) & _LOW] += 1
    total = 0
    for bucket in range(_BUCKETS):
        size = starts[bucket]
        starts[bucket] = total
        total += size
    for place in range(len(keys)):
        bucket = (keys[place] >> np.uint32(shift)) & _LOW
        new_keys[starts[bucket]], new_order[starts[bucket]] = keys[place], order[place]
        starts[bucket] += 1


@kernel
def best_first(values: NDArray[np.float32]) -> tuple[Places, int]:
    """(n,) places by value, and how many of them are above the lowest. Equal values, 0 and -0 among
    them, stand beside each other; one that is no number is among the lowest.

    Most signals say nothing of most candidates, so only what is above the lowest is sorted, in
    three passes over 11 bits each (docs/decisions/0041).
    """
    order = np.empty(len(values), np.int32)
    above = _above_the_lowest(values, order)
    best, moved = order[:above].copy(), np.empty(above, np.int32)
    keys, moved_keys = _keys(values, best), np.empty(above, np.uint32)
    for shift in range(0, 32, _DIGITS):
        _by_digit(keys, best, shift, moved_keys, moved)
        keys, moved_keys, best, moved = moved_keys, keys, moved, best
    order[:above] = best
    return order, above
