"""Whether users take again what they had, learned from what they do, and how often and how lately a
user took each item.

It knows nothing about lists: whoever makes them asks `may_return`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.kernel import kernel
from upwell.values import Example, Interaction

__all__ = [
    "AGAIN",
    "GAP_MS",
    "LEAST_REPEATS",
    "LEAST_SHARE",
    "NEW",
    "NOTHING",
    "empty_repeats",
    "learn_repeats",
    "may_return",
    "read_repeats",
    "repeats_of",
]

NOTHING, NEW, AGAIN = 0, 1, 2
GAP_MS = 600_000
"""Between two of a kind on one item, from which they are two occasions: ten minutes."""
LEAST_REPEATS = 10.0
LEAST_SHARE = 0.05
_KEPT = 0.999
"""Of what was counted, an event: half is gone after 693."""


def empty_repeats() -> NDArray[np.float64]:
    """(2,) events that took again what the user had, and all of users who had something; both
    fade.
    """
    return np.zeros(2)


def repeats_of(examples: Sequence[Example]) -> NDArray[np.int8]:
    """(b,) `AGAIN` for what the user took before, the same way and `GAP_MS` earlier; `NEW` for what
    they never took; `NOTHING` for all else, and for who took nothing yet.

    Liked events alone count, no opinions: a film that is rated twice was not seen twice, and a cart
    behind a click is no repeat.
    """
    return np.array([_kind(one.event, one.history) for one in examples], np.int8)


def _kind(event: Interaction, history: Sequence[Interaction]) -> int:
    if not event.liked or event.opinion:
        return NOTHING
    took = [one for one in history if one.liked and not one.opinion]
    before = [one for one in took if one.item_id == event.item_id]
    if any(one.kind == event.kind and event.ts - one.ts >= GAP_MS for one in before):
        return AGAIN
    return NEW if took and not before else NOTHING


@kernel
def learn_repeats(repeats: NDArray[np.float64], kind: int) -> None:
    """Takes in one of `repeats_of`."""
    if kind == NOTHING:
        return
    repeats *= _KEPT
    repeats[1] += 1.0
    if kind == AGAIN:
        repeats[0] += 1.0


def may_return(repeats: NDArray[np.float64]) -> bool:
    """Whether lists may show what their user had: at least `LEAST_SHARE` of what users take is
    taken again, and there were `LEAST_REPEATS`.
    """
    return bool(repeats[0] >= max(LEAST_REPEATS, LEAST_SHARE * repeats[1]))


@kernel
def read_repeats(
    history: NDArray[np.int32],
    taken: NDArray[np.int32],
    found: NDArray[np.int32],
    often: NDArray[np.float32],
    lately: NDArray[np.float32],
) -> None:
    """often: (n,) ln(1 + how often the user took each of the items `found`). lately: (n,) 1 / (1 +
    its place) in the history, newest first; both 0 for what they did not take.

    taken: (h,) how often each of the history was taken, all 0 where repeats do not count.
    """
    often[:] = 0.0
    lately[:] = 0.0
    for place in range(len(history)):
        if taken[place] > 0:
            for position in range(len(found)):
                if found[position] == history[place]:
                    often[position] = np.log1p(taken[place])
                    lately[position] = 1.0 / (1.0 + place)
                    break
