"""What was counted, as tests compare it between processes."""

from __future__ import annotations

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
