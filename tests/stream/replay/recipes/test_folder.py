from __future__ import annotations

from pathlib import Path

import pytest

from stream.replay.recipes import folder
from upwell.errors import LogError, SettingsError
from upwell.settings import load_settings

SOURCE = """
from stream.replay.recipes.compare import Lists
from stream.replay.recipes.recipe import Recipe, Source

RECIPE = Recipe("nothing", lambda asked: Source("drawn", ()), Lists({}))
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "bare"
    made.mkdir()
    (made / "source.py").write_text(SOURCE)
    (made / "settings.env").write_text("# why\n\nUPWELL_EXPLORE=0.1\nUPWELL_SEED=5\n")
    (tmp_path / "half").mkdir()
    monkeypatch.setattr(folder, "folder", lambda: tmp_path)
    return made


def test_a_folder_with_a_source_is_a_recipe(own: Path) -> None:
    assert folder.names() == ["bare"]
    assert folder.find("bare").about == "nothing"


def test_a_name_that_is_none_is_told_what_there_is(own: Path) -> None:
    for name in ("half", "", "../bare", "b" * 300):
        with pytest.raises(LogError, match="is no recipe; there are bare"):
            folder.find(name)


def test_what_is_set_outside_goes_before_what_the_recipe_sets(own: Path) -> None:
    found = folder.environment_of("bare", {"UPWELL_SEED": "9", "UPWELL_EXPLORE": "", "HOME": "/"})
    settings = load_settings(found, None).learner
    assert (settings.seed, settings.explore) == (9, 0.1)


@pytest.mark.parametrize("line", ["UPWELL_SEED", "SEED=7"])
def test_a_line_that_sets_nothing_is_named(own: Path, line: str) -> None:
    (own / "settings.env").write_text(f"UPWELL_SEED=7\n{line}\n")
    with pytest.raises(SettingsError, match=r"settings.env, line 2: expected UPWELL_NAME=value"):
        folder.own_settings("bare")


def test_each_recipe_that_is_shipped_is_whole() -> None:
    for name in folder.names():
        assert folder.find(name).about
        load_settings(folder.own_settings(name), None)
    assert "video" in folder.names()
