"""What was counted, as tests compare it between processes."""

from __future__ import annotations

import numpy as np

from learner.counts.neighbours import Neighbours
from learner.counts.popularity import COUNT
from learner.ranking.online import OnlineModel


def item_events(model: OnlineModel) -> dict[str, int]:
    """How many events each item has had, of those that had any."""
    counted = model.ranking.state().popularity
    events = counted.values[COUNT] / counted.scale[COUNT]
    return {
        item_id: round(events[row])
        for row, item_id in enumerate(model.ranking.catalogue.ids)
        if events[row] > 0.0
    }


def value_of(table: Neighbours, row: int, column: int) -> float:
    """An entry of a table as of now, 0 where there is none."""
    entries = dict(zip(table.ids[row], table.values[row, : table.sizes[row]], strict=False))
    return float(entries.get(np.int32(column), 0.0)) / float(table.step[0])
