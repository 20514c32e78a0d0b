"""The recipe `support` on a short log, drawn and recorded."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from encoders.hashing import HashingEncoder
from stream.replay.recipes.folder import environment_of, find
from stream.replay.recipes.recipe import Asked, Outcome
from upwell.errors import LogError
from upwell.uses.tables import SHAPES
from upwell.uses.topics import UseTopic


def played(data: Path | None, events: int, seed: int = 7) -> Outcome:
    recipe = find("support")
    source = recipe.read(Asked(data, events, seed))
    environment = environment_of("support", {})
    return recipe.play(source, environment, HashingEncoder(), lambda done: None)


def test_what_is_drawn_are_records_of_the_desk_and_the_same_for_a_seed() -> None:
    recipe = find("support")
    first, again, other = (recipe.read(Asked(None, 50, seed)) for seed in (7, 7, 8))
    assert first.records == again.records != other.records
    assert first.said.startswith("drawn by seed 7, nothing recorded")
    for one in first.records:
        value = orjson.loads(one.value)
        SHAPES[UseTopic(one.topic)].read(value, now_ms=value["ts"])


def test_it_learns_what_people_choose_and_finds_what_has_no_template() -> None:
    found = played(None, 900).figures
    assert found["questions"] == 900
    assert list(found["sides"]) == ["Upwell", "nearest question", "logistic regression, online"]
    assert found["sides"]["Upwell"]["second_half"] > 0.8
    assert found["sides"]["Upwell"]["first"] < found["sides"]["Upwell"]["second_half"]
    assert found["found_after"]
    assert found["alone_right"] > 0.85


@pytest.mark.parametrize("columns", ["text,category", "instruction,intent,response"])
def test_a_file_of_ones_own_is_read_by_its_heads(tmp_path: Path, columns: str) -> None:
    names = [f"kind {number}" for number in range(4)]
    rows = [f"{name} question {number},{name},words" for name in names for number in range(20)]
    width = columns.count(",") + 1
    lines = [",".join(row.split(",")[:width]) for row in rows]
    path = tmp_path / "mine.csv"
    path.write_text("\n".join([columns, *lines]) + "\n")
    found = played(path, 80)
    assert found.figures["questions"] == 80
    assert found.figures["sides"]["Upwell"]["among_three"] > 0.8


def test_what_is_answered_alone_and_has_no_template_is_wrong(tmp_path: Path) -> None:
    """Questions of all three kinds are alike, and two of the kinds are hidden."""
    rows = [f"where is my order {number},{kind}" for number in range(100) for kind in "abc"]
    path = tmp_path / "alike.csv"
    path.write_text("\n".join(["text,category", *rows]) + "\n")
    found = played(path, 300).figures
    assert found["alone"] > 0.3
    assert found["alone_right"] < 0.6


def test_another_file_is_refused_with_what_is_needed(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n")
    for one in (path, tmp_path / "none.csv"):
        with pytest.raises(LogError, match=r"CSV file|`text` and `category`"):
            find("support").read(Asked(one, None, 7))
