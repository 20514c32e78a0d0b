"""Examples as the kernels take them: their users before the event, and the events. It knows nothing
about what is learned from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.catalogue import Catalogue
from learner.counts.block import NEWCOMER_EVENTS, Block, Targets, block_of, met_of
from learner.counts.events import code_of, past_of
from learner.counts.repeats import repeats_of
from learner.fused.histories import HistoryBatch, history_batch
from learner.fused.model import FusedModel
from learner.ranking.ranking import Ranking
from learner.training.buffer import ExampleBatch
from upwell.values import Example

__all__ = ["Prepared", "example_batch", "prepared"]


@dataclass(frozen=True, slots=True)
class Prepared:
    """users: (b) as the fused model reads them."""

    block: Block
    targets: Targets
    users: HistoryBatch


def prepared(
    examples: Sequence[Example],
    ranking: Ranking,
    fused: FusedModel | None,
    weights: NDArray[np.float32],
    create: bool = True,
    again: bool = False,
) -> Prepared:
    """At most `BLOCK` examples, each on an item; one that nobody announced gets a row. weights:
    (b,) of what they add to the counts. create: an item of a history gets a row too. again: what a
    user had may return, and is tested too.
    """
    catalogue, settings = ranking.catalogue, ranking.settings
    rows = np.array([catalogue.ensure(str(one.event.item_id)) for one in examples], np.int32)
    left = [one.had if one.tested and not again else () for one in examples]
    had = [set(catalogue.rows(one)) for one in left]
    tested = np.array(
        [
            one.tested and one.event.liked and bool(catalogue.allowed[row]) and row not in left_out
            for one, row, left_out in zip(examples, rows, had, strict=True)
        ],
        np.bool_,
    )
    events = ranking.events([one.history for one in examples], create)
    ranking.state()  # room for the rows that are new
    if fused is not None:
        fused.items.refer(catalogue.graph.vectors, len(catalogue))
    users = history_batch(events, [one.intent for one in examples], catalogue.dimension)
    past = past_of(events)
    blocked = [tuple(some) if test else () for some, test in zip(had, tested, strict=True)]
    asked = np.flatnonzero(tested)
    block = block_of(
        past,
        blocked,
        [one.user_events for one in examples],
        np.where(tested, np.cumsum(tested) - 1, -1),
        *ranking.dense(users.take(asked), fused, [blocked[place] for place in asked]),
        [
            _beside(one, catalogue) if test else ()
            for one, test in zip(examples, tested, strict=True)
        ],
        [one.event.ts for one in examples] if settings.lifetime == "learned" else None,
        again,
    )
    learns = settings.repeats == "learned"
    targets = Targets(
        rows,
        np.array([one.event.liked for one in examples], np.bool_),
        tested,
        met_of(past, rows),
        block.events <= NEWCOMER_EVENTS,
        weights,
        repeats_of(examples) if learns else np.zeros(len(examples), np.int8),
    )
    return Prepared(block, targets, users)


def example_batch(
    examples: Sequence[Example],
    rows: NDArray[np.int32],
    users: HistoryBatch,
) -> ExampleBatch:
    """The same b examples as the trainer of the fused model takes them. rows: (b,) of their
    items.
    """
    events = [example.event for example in examples]
    return ExampleBatch(
        users=[example.user for example in examples],
        before=np.array([example.user_events for example in examples], np.int64),
        histories=users,
        rows=rows,
        kinds=np.array([code_of(event) for event in events], np.uint8),
        ratings=np.array(
            [np.nan if event.rating is None else event.rating for event in events], np.float32
        ),
        ts=np.array([event.ts for event in events], np.int64),
    )


def _beside(example: Example, catalogue: Catalogue) -> tuple[tuple[int, float], ...]:
    """Of what the event's item was shown among, what has a row."""
    found = ((catalogue.row(item_id), count) for item_id, count in example.beside)
    return tuple((row, count) for row, count in found if row is not None)
