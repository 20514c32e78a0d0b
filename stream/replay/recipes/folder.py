"""Where recipes lie, which there are, and one by its name: a folder with `source.py`, which has a
`RECIPE`, and `settings.env`, lines of `NAME=value`.

In a checkout they lie in `recipes/`, in an installed wheel in the package.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import upwell
from stream.replay.recipes.recipe import Recipe
from upwell.errors import LogError, SettingsError

__all__ = ["environment_of", "find", "folder", "names", "own_settings"]

_SOURCE, _SETTINGS = "source.py", "settings.env"


def folder() -> Path:
    """Raises `LogError` where there is none."""
    package = Path(upwell.__file__).parent
    for place in (package / "recipes", package.parent / "recipes"):
        if place.is_dir():
            return place
    raise LogError(f"there is no folder {package / 'recipes'}: install Upwell anew")


def names() -> list[str]:
    """Of all recipes, in their order."""
    return sorted(path.parent.name for path in folder().glob(f"*/{_SOURCE}"))


def find(name: str) -> Recipe:
    """Raises `LogError` for a name that is none."""
    if name not in names():
        raise LogError(f"{name!r:.40} is no recipe; there are {', '.join(names())}")
    path = folder() / name / _SOURCE
    spec = spec_from_file_location(f"recipes.{name}.source", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there for their own
    spec.loader.exec_module(module)
    recipe = module.RECIPE
    assert isinstance(recipe, Recipe)
    return recipe


def own_settings(name: str) -> dict[str, str]:
    """The variables that the recipe sets. Raises `SettingsError` for a line that is none."""
    path = folder() / name / _SETTINGS
    found: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        variable, equals, value = bare.partition("=")
        if not equals or not variable.startswith("UPWELL_"):
            raise SettingsError(f"{path}, line {number}: expected UPWELL_NAME=value")
        found[variable] = value
    return found


def environment_of(name: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The recipe's variables, and before them those that are set."""
    given = {variable: value for variable, value in environment.items() if value}
    return own_settings(name) | given
