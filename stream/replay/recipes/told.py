"""What a recipe's run says: a table for people, one object for scripts."""

from __future__ import annotations

from typing import Any

from stream.replay.recipes.recipe import Outcome
from stream.replay.table import Rows, plain

__all__ = ["recipe_json", "recipe_table"]


def recipe_table(outcome: Outcome) -> Rows:
    """As it fits the screen."""
    table = Rows(*map(plain, outcome.heads), title=plain(outcome.title))
    for row in outcome.rows:
        table.add_row(*map(plain, row))
    return table


def recipe_json(
    name: str, said: str, seed: int, seconds: float, outcome: Outcome
) -> dict[str, Any]:
    """JSON-ready. said: what its events are. seconds: of the whole run."""
    return {
        "recipe": name,
        "said": said,
        "seed": seed,
        "figures": dict(outcome.figures),
        "wall_s": round(seconds, 1),
    }
