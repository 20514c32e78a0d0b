"""The recipe `video` on a short part of its log, by the command's own parts."""

from __future__ import annotations

import pytest

from encoders.hashing import HashingEncoder
from stream.replay.recipes.folder import environment_of, find
from stream.replay.recipes.recipe import Asked
from upwell.events import Topic


def test_films_are_recommended_better_than_by_their_popularity() -> None:
    recipe = find("video")
    source = recipe.read(Asked(None, 1_500, 7))
    assert source.said.startswith("recorded: ")
    assert sum(one.topic is not Topic.ITEMS for one in source.records) == 1_500
    environment = environment_of("video", {"UPWELL_FUSED": "false"})
    found = recipe.play(source, environment, HashingEncoder(), lambda done: None)
    worth = {name: side["ndcg10"]["all"] for name, side in found.figures["sides"].items()}
    assert list(worth) == ["Upwell", "popular, 30 days", "item-kNN"]
    assert worth["Upwell"] > worth["popular, 30 days"] > 0.0
    assert found.figures["targets"]["all"] == pytest.approx(800, abs=500)
