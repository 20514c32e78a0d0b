"""The table of all settings: `python -m upwell.settings.table` prints docs/settings.md, `upwell
doctor --settings` the same words with the values that hold.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from itertools import groupby
from typing import Literal, get_args, get_origin

from upwell.secret import Secret
from upwell.settings.groups import Settings
from upwell.settings.load import all_settings, describe_settings, show_value
from upwell.settings.values import Field

__all__ = ["main", "setting_lines", "setting_values", "settings_page", "what_is_right"]

HEAD = """# Settings

<!-- Made by `make docs` from upwell/settings (groups, learner, gateway, face): change it there. -->

A variable of the environment goes before the file `upwell.toml` in the folder of the start, and
that before the default. In the file a setting stands in the table of its group, under the second
part of its key: `[kafka]`, then `address = "10.0.0.7:9092"`. An empty variable counts as unset. A
name that is none and a value that is not right end the start, with one line that says what would be
right. `upwell doctor --settings` shows what holds.

Who has a reason to set it: the **operator**, who runs Upwell in their own surroundings; the
**tuner**, who looks after the quality of the lists (docs/quality.md, docs/exploration.md); the
**developer**, who changes how it learns. Workers of one prefix are to have the same settings, but
for `UPWELL_INSTANCE`, `UPWELL_DATA` and `UPWELL_METRICS_PORT`.
"""
TABLE = """
## {title}

| variable | key in the file | default | what is right | unit | who | what it is |
| --- | --- | --- | --- | --- | --- | --- |
"""
TITLES = {
    "kafka": "Kafka",
    "store": "Store",
    "encoder": "Encoder",
    "pictures": "Pictures",
    "privacy": "Privacy",
    "private": "Budget of privacy",
    "stream": "Stream",
    "learner": "Learner",
    "gateway": "Gateway",
    "metrics": "Metrics",
    "tracing": "Traces",
    "tracking": "Runs, and curves of the learner",
    "reasons": "Reasons for people",
    "uses": "Other uses than lists",
    None: "This machine",
}


def settings_page() -> str:
    """docs/settings.md."""
    page = HEAD
    for group, settings in groupby(all_settings(), key=lambda one: one.group):
        page += TABLE.format(title=TITLES[group]) + "".join(map(_row, settings))
    return page


def setting_lines(settings: Settings) -> Iterator[str]:
    """A line each: the value, secrets masked, whether it is the default, what is right, what it
    is.
    """
    for one, (variable, value, origin) in zip(
        all_settings(), describe_settings(settings), strict=True
    ):
        unit = f"{_unit(one)}, " if _unit(one) else ""
        yield f"{variable} = {value} ({origin}; {unit}{what_is_right(one)}): {one.does}"


def setting_values(settings: Settings) -> dict[str, dict[str, str]]:
    """By variable `value` (secrets masked), `origin`, `right` and `does`, for scripts."""
    return {
        variable: {
            "value": value,
            "origin": origin,
            "right": what_is_right(one),
            "does": one.does,
        }
        for one, (variable, value, origin) in zip(
            all_settings(), describe_settings(settings), strict=True
        )
    }


def what_is_right(one: Field) -> str:
    """The values that a setting takes, in words."""
    kind = one.plain_kind
    if get_origin(kind) is Literal:
        return ", ".join(get_args(kind))
    if kind is bool:
        return "on, off"
    if kind in (int, float):
        return _range(one)
    if one.hex_bytes is not None:
        return f"{2 * one.hex_bytes} hexadecimal digits or more"
    return "any text, never shown" if kind is Secret else one.unit or "any text"


def _unit(one: Field) -> str:
    """Of a number."""
    return one.unit if one.plain_kind in (int, float) else ""


def _range(one: Field) -> str:
    if one.above == -math.inf:
        return "a whole number" if one.plain_kind is int else "a number"
    most = f" to {one.below:.15g}" if one.below < math.inf else " or more"
    return f"{one.above:.15g}{most}"


def _row(one: Field) -> str:
    cells = (
        f"`{one.variable}`",
        f"`{one.key}`",
        "–" if one.default is None else f"`{show_value(one.default)}`",
        what_is_right(one),
        _unit(one),
        one.who,
        one.does,
    )
    return f"| {' | '.join(cells)} |\n"


def main() -> None:
    """Print the page."""
    sys.stdout.write(settings_page())


if __name__ == "__main__":
    main()
