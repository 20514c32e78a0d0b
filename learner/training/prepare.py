"""Examples as the kernels take them: their users before the event, and the events. It knows nothing
about what is learned from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learner.counts.block import NEWCOMER_EVENTS, Block, Profile, Targets
from learner.fused.fusion import Fusion, Placed
from learner.ranking.ranking import Ranking
from upwell.values import Example

__all__ = ["Prepared", "prepared"]


@dataclass(frozen=True, slots=True)
class Prepared:
    """histories: (b) as the fused model reads them."""

    block: Block
    targets: Targets
    histories: list[Placed]


def prepared(
    examples: Sequence[Example],
    ranking: Ranking,
    fusion: Fusion | None,
    weights: NDArray[np.float32],
) -> Prepared:
    """At most `BLOCK` examples, each on an item; one that nobody announced gets a row. weights:
    (b,) of what they add to the counts.
    """
    catalogue = ranking.catalogue
    rows = [catalogue.ensure(str(example.event.item_id)) for example in examples]
    had = [set(catalogue.rows(example.had)) if example.tested else set() for example in examples]
    tested = [
        example.tested
        and example.event.liked
        and bool(catalogue.allowed[row])
        and row not in blocked
        for example, row, blocked in zip(examples, rows, had, strict=True)
    ]
    slots = np.where(tested, np.cumsum(tested) - 1, -1)
    profiles = [
        Profile(
            *ranking.known(example.history, create=True),
            tuple(blocked) if test else (),
            example.user_events,
            int(slot),
        )
        for example, blocked, test, slot in zip(examples, had, tested, slots, strict=True)
    ]
    ranking.state()  # room for the rows that are new
    histories = [ranking.placed(example.history) for example in examples]
    block = ranking.block(
        profiles,
        [example.intent for example, test in zip(examples, tested, strict=True) if test],
        [history for history, test in zip(histories, tested, strict=True) if test],
        fusion,
    )
    return Prepared(block, _targets(examples, rows, tested, profiles, weights), histories)


def _targets(
    examples: Sequence[Example],
    rows: list[int],
    tested: list[bool],
    profiles: Sequence[Profile],
    weights: NDArray[np.float32],
) -> Targets:
    return Targets(
        np.array(rows, np.int32),
        np.array([example.event.liked for example in examples], np.bool_),
        np.array(tested, np.bool_),
        np.array([one.met(row) for one, row in zip(profiles, rows, strict=True)], np.int8),
        np.array([one.events <= NEWCOMER_EVENTS for one in profiles], np.bool_),
        weights,
    )
