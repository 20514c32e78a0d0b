"""Films and the ratings of people who saw them: the first part of the MovieLens log that comes with
Upwell.
"""

from __future__ import annotations

from stream.replay.bundled import bundled_log
from stream.replay.recipes.compare import Lists
from stream.replay.recipes.part import part_of
from stream.replay.recipes.peers import ItemKNN, Popular
from stream.replay.recipes.recipe import Asked, Recipe, Source

__all__ = ["RECIPE"]

EVENTS = 6_000
MONTH_MS = 30 * 86_400_000


def read(asked: Asked) -> Source:
    """The first events of the log, and the films that they name."""
    path = asked.data or bundled_log()
    records = part_of(path, asked.events or EVENTS)
    return Source(f"recorded: the first ratings and tags of {path.name}, MovieLens", records)


RECIPE = Recipe(
    "films that people rate, a part of MovieLens",
    read,
    Lists({"popular, 30 days": lambda: Popular(MONTH_MS), "item-kNN": ItemKNN}),
)
