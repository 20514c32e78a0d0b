from __future__ import annotations

import io

from rich.console import Console

from stream.replay.recipes.recipe import Outcome
from stream.replay.recipes.told import recipe_json, recipe_table

OUTCOME = Outcome("3 [events]", ["", "NDCG@10"], [["Upwell", "0.5"], ["[red]", "0.1"]], {"n": 3})


def test_the_table_says_all_cells_as_they_are() -> None:
    screen = Console(file=io.StringIO(), width=60)
    screen.print(recipe_table(OUTCOME))
    said = screen.file.getvalue()  # type: ignore[attr-defined]
    for words in ("3 [events]", "NDCG@10", "Upwell", "0.5", "[red]", "0.1"):
        assert words in said


def test_the_object_says_the_same() -> None:
    assert recipe_json("video", "recorded", 7, 1.26, OUTCOME) == {
        "recipe": "video",
        "said": "recorded",
        "seed": 7,
        "figures": {"n": 3},
        "wall_s": 1.3,
    }
