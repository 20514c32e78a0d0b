"""What a setting's text or TOML value means, and what is said where it means nothing."""

from __future__ import annotations

import math
import re
import types
import typing
from dataclasses import dataclass
from typing import Any, Literal

from upwell.errors import SettingsError
from upwell.secret import Secret

__all__ = ["Field", "parse"]


@dataclass(frozen=True, slots=True)
class Field:
    """A setting: where it stands, and what is right for it. hex_bytes: of a key in hexadecimal, at
    least.
    """

    group: str | None
    name: str
    variable: str
    kind: Any
    above: float
    below: float
    hex_bytes: int | None

    @property
    def key(self) -> str:
        """In the file."""
        return f"{self.group}.{self.name}" if self.group else self.name


def parse(one: Field, value: Any, where: str) -> Any:
    """The value of a setting from a variable's text or the file.

    Raises `SettingsError` with `where` and what would be right.
    """
    kinds = typing.get_args(one.kind) if isinstance(one.kind, types.UnionType) else (one.kind,)
    kind = next(kind for kind in kinds if kind is not type(None))
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
        most = f" and at most {one.below:g}" if one.below < math.inf else ""
        raise SettingsError(f"{where} is {value}: must be at least {one.above:g}{most}")
    return number
