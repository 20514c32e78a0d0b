"""The recipe `opinion` on a short log, drawn and recorded."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from stream.replay.recipes.folder import environment_of, find
from stream.replay.recipes.recipe import Asked
from upwell.errors import LogError
from upwell.ports import Encoder
from upwell.uses.tables import SHAPES
from upwell.uses.topics import UseTopic


def test_what_is_drawn_are_posts_and_the_same_for_a_seed() -> None:
    recipe = find("opinion")
    first, again, other = (recipe.read(Asked(None, 60, seed)) for seed in (7, 7, 8))
    assert first.records == again.records != other.records
    for one in first.records:
        value = orjson.loads(one.value)
        SHAPES[UseTopic(one.topic)].read(value, now_ms=value["ts"])
    kinds = [orjson.loads(one.value)["kind"] for one in first.records]
    assert "surge" in kinds
    assert "surge" not in kinds[:30]


def test_a_surge_is_found_and_moods_are_told(language_model: Encoder) -> None:
    recipe = find("opinion")
    source = recipe.read(Asked(None, 1_000, 7))
    environment = environment_of("opinion", {})
    told = recipe.play(source, environment, language_model, lambda done: None).figures
    sides = told["sides"]
    assert list(sides) == ["Upwell", "k-means, counts at z > 4", "ridge, refitted every 50"]
    assert sides["Upwell"]["found_after"] is not None
    assert sides["Upwell"]["r2"] > 0.3
    assert [one["kind"] for one in told["alerts"]].count("new") == 1


def test_of_a_file_one_kind_surges(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    rows = [f"about {kind} number {n},{kind},0.5" for kind in ("a", "b", "c") for n in range(40)]
    path.write_text("\n".join(["text,category,sentiment", *rows]) + "\n")
    source = find("opinion").read(Asked(path, 60, 7))
    kinds = [orjson.loads(one.value)["kind"] for one in source.records]
    assert kinds[:30].count("surge") == 0
    assert len(set(kinds[:30])) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n", "`text` and `category`"),
        ("text,category,sentiment\nx,y,good\n", "no sentiment"),
    ],
)
def test_another_file_is_refused_with_what_is_needed(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "other.csv"
    path.write_text(text)
    with pytest.raises(LogError, match=said):
        find("opinion").read(Asked(path, None, 7))
