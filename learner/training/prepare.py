"""Examples as the kernels take them: their users before the event, and the events. It knows nothing
about what is learned from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.catalogue import Catalogue
from learner.counts.block import NEWCOMER_EVENTS, Block, Profile, Targets
from learner.fused.histories import KINDS, Placed, history_batch
from learner.fused.model import FusedModel
from learner.ranking.ranking import Ranking
from learner.training.buffer import ExampleBatch
from upwell.values import Example

__all__ = ["Prepared", "example_batch", "prepared"]

_CODE = {kind: code for code, kind in enumerate(KINDS)}


@dataclass(frozen=True, slots=True)
class Prepared:
    """histories: (b) as the fused model reads them."""

    block: Block
    targets: Targets
    histories: list[Placed]


def prepared(
    examples: Sequence[Example],
    ranking: Ranking,
    fused: FusedModel | None,
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
            _beside(example, catalogue) if test else (),
        )
        for example, blocked, test, slot in zip(examples, had, tested, slots, strict=True)
    ]
    ranking.state()  # room for the rows that are new
    if fused is not None:
        fused.items.refer(catalogue.graph.vectors, len(catalogue))
    histories = [ranking.placed(example.history) for example in examples]
    block = ranking.block(
        profiles,
        [example.intent for example, test in zip(examples, tested, strict=True) if test],
        [history for history, test in zip(histories, tested, strict=True) if test],
        fused,
    )
    return Prepared(block, _targets(examples, rows, tested, profiles, weights), histories)


def example_batch(
    examples: Sequence[Example],
    rows: NDArray[np.int32],
    histories: Sequence[Placed],
    dimension: int,
) -> ExampleBatch:
    """The same b examples as the trainer of the fused model takes them. rows: (b,) of their
    items.
    """
    events = [example.event for example in examples]
    return ExampleBatch(
        users=[example.user for example in examples],
        before=np.array([example.user_events for example in examples], np.int64),
        histories=history_batch(histories, [example.intent for example in examples], dimension),
        rows=rows,
        kinds=np.array([_CODE[event.kind] for event in events], np.uint8),
        ratings=np.array(
            [np.nan if event.rating is None else event.rating for event in events], np.float32
        ),
        ts=np.array([event.ts for event in events], np.int64),
    )


def _beside(example: Example, catalogue: Catalogue) -> tuple[tuple[int, float], ...]:
    """Of what the event's item was shown among, what has a row."""
    found = ((catalogue.row(item_id), count) for item_id, count in example.beside)
    return tuple((row, count) for row, count in found if row is not None)


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
