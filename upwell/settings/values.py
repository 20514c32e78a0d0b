"""What a setting is, what its text or TOML value means, and what is said where it means nothing."""

from __future__ import annotations

import math
import re
import types
import typing
from dataclasses import dataclass, field
from typing import Any, Literal

from upwell.errors import SettingsError
from upwell.secret import Secret

__all__ = ["Field", "Who", "parse", "setting"]

Who = Literal["operator", "tuner", "developer"]
"""Who has a reason to set it: who runs Upwell in their surroundings, who looks after the quality of
the lists, who changes how it learns.
"""


def setting(
    default: Any, does: str, who: Who, unit: str = "", *, variable: str | None = None, **right: Any
) -> Any:
    """A dataclass field with what is told of a setting.

    does: one line, without its name. unit: of a number; of a text what is right. variable: where
    it is not the field's name. right: `above`, `below` (ends included), `hex_bytes`, as of a
    `Field`.
    """
    told = {"does": does, "who": who, "unit": unit, "variable": variable, **right}
    return field(default=default, metadata=told)


@dataclass(frozen=True, slots=True)
class Field:
    """A setting: where it stands, and what is right for it. above, below: ends included. hex_bytes:
    of a key in hexadecimal, at least. does, who, unit: as of `setting`.
    """

    group: str | None
    name: str
    variable: str
    kind: Any
    above: float = -math.inf
    below: float = math.inf
    hex_bytes: int | None = None
    default: Any = None
    does: str = ""
    who: Who = "operator"
    unit: str = ""

    @property
    def key(self) -> str:
        """In the file."""
        return f"{self.group}.{self.name}" if self.group else self.name

    @property
    def plain_kind(self) -> Any:
        """Of a value that is not left out."""
        kinds = typing.get_args(self.kind) if isinstance(self.kind, types.UnionType) else ()
        return next((kind for kind in kinds if kind is not type(None)), self.kind)


def parse(one: Field, value: Any, where: str) -> Any:
    """The value of a setting from a variable's text or the file.

    Raises `SettingsError` with `where` and what would be right.
    """
    kind = one.plain_kind
    if typing.get_origin(kind) is Literal:
        choices = typing.get_args(kind)
        if value not in choices:
            raise SettingsError(f"{where} is {value!r}: must be one of {', '.join(choices)}")
        return value
    if kind is Secret:
        return _secret(one, str(value), where)
    if kind is bool:
        return _flag(value, where)
    if kind in (int, float):
        return _number(one, kind, value, where)
    if not isinstance(value, str):
        raise SettingsError(f"{where} is {value!r}: must be a text, in quotes")
    if not value:
        raise SettingsError(f"{where} is empty: leave it out for the default")
    return kind(value)


def _secret(one: Field, value: str, where: str) -> Secret:
    """Of a wrong one nothing is shown."""
    if one.hex_bytes is not None and not re.fullmatch(
        rf"([0-9a-fA-F]{{2}}){{{one.hex_bytes},}}", value
    ):
        raise SettingsError(
            f"{where} is not right: must be hexadecimal, {2 * one.hex_bytes} digits or more"
        )
    return Secret(value)


def _flag(value: Any, where: str) -> bool:
    words = {"on": True, "true": True, "1": True, "off": False, "false": False, "0": False}
    try:
        return words[str(value).lower()]
    except KeyError:
        raise SettingsError(f"{where} is {value!r}: must be on or off") from None


def _number(one: Field, kind: type, value: Any, where: str) -> Any:
    try:
        if isinstance(value, bool) or (kind is int and isinstance(value, float)):
            raise TypeError("true, false and 1.5 are no whole numbers")
        number = kind(value)
    except (TypeError, ValueError):
        raise SettingsError(
            f"{where} is {value!r}: must be {'a whole number' if kind is int else 'a number'}"
        ) from None
    if not one.above <= number <= one.below:
        most = f" and at most {one.below:.15g}" if one.below < math.inf else ""
        unit = f" ({one.unit})" if one.unit else ""
        raise SettingsError(f"{where} is {value}: must be at least {one.above:.15g}{most}{unit}")
    return number
