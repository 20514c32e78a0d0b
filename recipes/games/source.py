"""Games and what players wrote of them: Steam's reviews as a replay log, which is not Upwell's to
pass on.
"""

from __future__ import annotations

from stream.replay.recipes.compare import Lists
from stream.replay.recipes.part import part_of
from stream.replay.recipes.peers import ItemKNN, Popular
from stream.replay.recipes.recipe import Asked, Recipe, Source
from upwell.errors import LogError

__all__ = ["RECIPE"]

EVENTS = 5_000
MONTH_MS = 30 * 86_400_000


def read(asked: Asked) -> Source:
    """The first reviews, and the games that they name. Raises `LogError` where nothing was
    named.
    """
    if asked.data is None:
        raise LogError(
            "games needs a log of reviews: --data FILE; Steam's (McAuley, UCSD: "
            "https://cseweb.ucsd.edu/~jmcauley/datasets.html, steam_games.json and "
            "australian_user_reviews.json) may not be passed on with Upwell; docs/uses/games.md "
            "says what a line has to be"
        )
    records = part_of(asked.data, asked.events or EVENTS)
    return Source(f"recorded: the first reviews of {asked.data.name}", records)


RECIPE = Recipe(
    "games that players review, from a log of your own (--data)",
    read,
    Lists({"popular, 90 days": lambda: Popular(3 * MONTH_MS), "item-kNN": ItemKNN}),
)
