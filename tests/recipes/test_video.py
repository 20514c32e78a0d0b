"""The recipe `video` on a short part of its log."""

from __future__ import annotations

from tests.recipes.streams import events_of, played, source_of
from upwell.events import Item


def test_films_are_recommended_better_than_by_their_popularity() -> None:
    source = source_of("video", 1_500)
    assert source.said.startswith("recorded: ")
    assert sum(not isinstance(one, Item) for one in events_of(source)) == 1_500
    worth = played("video", source)
    assert list(worth) == ["Upwell", "popular, 30 days", "item-kNN"]
    assert worth["Upwell"] > worth["popular, 30 days"] > 0.0
