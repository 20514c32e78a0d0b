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
        item_id: round(often)
        for item_id, often in zip(model.ranking.catalogue.ids, events, strict=False)
        if often > 0.0  # of what has room by now: it may be learning meanwhile
    }


def value_of(table: Neighbours, row: int, column: int) -> float:
    """An entry of a table as of now, 0 where there is none."""
    entries = dict(zip(table.ids[row], table.values[row, : table.sizes[row]], strict=False))
    return float(entries.get(np.int32(column), 0.0)) / float(table.step[0])
