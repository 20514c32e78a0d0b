"""Places by value, the highest first: what ranks are read from, and the best few of many. It knows
nothing about signals.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.kernel import kernel

__all__ = ["best_first", "keep_best"]

_FEW = 24  # are sorted one into the others
_DIGITS = 8
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
def _one_by_one(keys: NDArray[np.uint32], order: Places) -> None:
    for place in range(1, len(keys)):
        key, one, to = keys[place], order[place], place
        while to > 0 and keys[to - 1] > key:
            keys[to], order[to] = keys[to - 1], order[to - 1]
            to -= 1
        keys[to], order[to] = key, one


@kernel
def _by_digit(
    keys: NDArray[np.uint32],
    order: Places,
    shift: int,
    starts: NDArray[np.int32],
    new_keys: NDArray[np.uint32],
    new_order: Places,
) -> bool:
    """False where all have the same digit, and nothing was written."""
    starts[:] = 0
    for key in keys:
        starts[(key >> np.uint32(shift)) & _LOW] += 1
    if starts[(keys[0] >> np.uint32(shift)) & _LOW] == len(keys):
        return False
    total = 0
    for bucket in range(_BUCKETS):
        size = starts[bucket]
        starts[bucket] = total
        total += size
    for place in range(len(keys)):
        bucket = (keys[place] >> np.uint32(shift)) & _LOW
        new_keys[starts[bucket]], new_order[starts[bucket]] = keys[place], order[place]
        starts[bucket] += 1
    return True


@kernel
def best_first(values: NDArray[np.float32]) -> tuple[Places, int]:
    """(n,) places by value, and how many of them are above the lowest. Equal values, 0 and -0 among
    them, stand beside each other; one that is no number is among the lowest.

    Most signals say nothing of most candidates, so only what is above the lowest is sorted: few one
    by one, many in passes over 8 bits each (docs/decisions/0041).
    """
    order = np.empty(len(values), np.int32)
    above = _above_the_lowest(values, order)
    best = order[:above].copy()
    keys = _keys(values, best)
    if above <= _FEW:
        _one_by_one(keys, best)
    else:
        moved, moved_keys = np.empty(above, np.int32), np.empty(above, np.uint32)
        starts = np.empty(_BUCKETS, np.int32)
        for shift in range(0, 32, _DIGITS):
            if _by_digit(keys, best, shift, starts, moved_keys, moved):
                keys, moved_keys, best, moved = moved_keys, keys, moved, best
    order[:above] = best
    return order, above


@kernel
def keep_best(
    values: NDArray[Any], ids: NDArray[np.int32], held: int, value: float, item: int
) -> int:
    """A heap of the best `len(values)`, the worst on top; of equals the first stays. Returns how
    many it holds.
    """
    if held < len(values):
        place = held
        while place > 0 and values[(place - 1) // 2] > value:
            values[place], ids[place] = values[(place - 1) // 2], ids[(place - 1) // 2]
            place = (place - 1) // 2
        values[place], ids[place] = value, item
        return held + 1
    if value <= values[0]:
        return held
    place = 0
    while True:
        child = 2 * place + 1
        if child >= held:
            break
        if child + 1 < held and values[child + 1] < values[child]:
            child += 1
        if values[child] >= value:
            break
        values[place], ids[place] = values[child], ids[child]
        place = child
    values[place], ids[place] = value, item
    return held
