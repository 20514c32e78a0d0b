"""Tables from signals to sentences: those that are shipped, and an app's own file over them.

A file has a table for each language that it changes or adds:

    [en]
    boost = "Our editors' choice."
    [en.covisitation]
    say = "Readers like you read this."
    because = "Because you read {because}."

A shipped language keeps what the file leaves out; another one needs every name. It knows nothing of
lists.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from upwell.errors import SettingsError

__all__ = ["BECAUSE", "SHIPPED", "Saying", "load_table"]

SHIPPED = ("de", "en")
BECAUSE = "{because}"
"""Stands for the title or the words that caused a signal."""


@dataclass(frozen=True, slots=True)
class Saying:
    """say: of a signal by itself. because: where it names its cause; without one of its own it is
    `say`.
    """

    say: str
    because: str


def load_table(language: str, file: Path | None = None) -> Mapping[str, Saying]:
    """By signal. language: a tag, `de-AT` is `de` where nothing is closer. file: an app's own.

    Raises `SettingsError` naming what is wrong.
    """
    own = {} if file is None else _read(file)
    wanted = next(
        (one for one in (language, language.split("-")[0]) if one in {*own, *SHIPPED}), ""
    )
    if not wanted:
        raise SettingsError(
            f"no reasons in the language {language!r}: UPWELL_LANGUAGE is one of "
            f"{', '.join(sorted({*own, *SHIPPED}))}, or UPWELL_REASONS names a file that has it"
        )
    table = dict(_shipped(wanted)) if wanted in SHIPPED else {}
    if wanted in own:
        table |= _checked(own[wanted], f"{file}, [{wanted}]")
    missing = sorted(_shipped("en").keys() - table.keys())
    if missing:
        raise SettingsError(f"{file}, [{wanted}]: nothing is said of {', '.join(missing)}")
    return table


@cache
def _shipped(language: str) -> Mapping[str, Saying]:
    text = (files("upwell.reasons") / f"{language}.toml").read_text(encoding="utf-8")
    return {signal: _saying(value, signal) for signal, value in tomllib.loads(text).items()}


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as exc:
        raise SettingsError(f"reasons {file} cannot be read: {exc}") from exc
    except tomllib.TOMLDecodeError as exc:
        raise SettingsError(f"reasons {file} is no TOML: {exc}") from exc


def _checked(given: Any, where: str) -> dict[str, Saying]:
    if not isinstance(given, dict):
        raise SettingsError(f"{where} must be a table of signals")
    known = _shipped("en")
    for signal in given:
        if signal not in known:
            near = get_close_matches(signal, known, n=1)
            meant = f"; did you mean {near[0]}?" if near else ""
            raise SettingsError(f"{where}: no list names a signal {signal!r}{meant}")
    return {signal: _saying(value, f"{where}: {signal}") for signal, value in given.items()}


def _saying(value: Any, where: str) -> Saying:
    forms: Any = {"say": value} if isinstance(value, str) else value
    if not (
        isinstance(forms, dict)
        and forms.keys() <= {"say", "because"}
        and all(isinstance(text, str) and text.strip() for text in forms.values())
        and "say" in forms
    ):
        raise SettingsError(f"{where} must be a sentence, or `say` and `because`, each a sentence")
    if BECAUSE in forms["say"] or BECAUSE not in forms.get("because", BECAUSE):
        raise SettingsError(f"{where}: {BECAUSE} stands in `because`, and nowhere else")
    say = str(forms["say"])
    return Saying(say, str(forms.get("because", say)))
