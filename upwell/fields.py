"""Checks of one field of untrusted input: each takes the field's name and its JSON value, and gives
the typed value.

All raise `InvalidEventError`. They know nothing about topics. A detail shows numbers as they came,
but of text and of ids only the kind and the size: they may be about a person.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from difflib import get_close_matches
from enum import StrEnum
from typing import Any

from upwell.errors import InvalidEventError

__all__ = [
    "WORDS",
    "Check",
    "choice",
    "describe",
    "flag",
    "label",
    "listing",
    "mapping",
    "number",
    "schema_of",
    "shorten",
    "text",
    "whole",
]

Check = Callable[[str, object], Any]

_UNFIT_IN_LABELS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SHORT_WORD = re.compile("[A-Za-z_ -]{1,24}")
_SHOWN = 24


_BLANK = r"\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
WORDS = f"[^{_BLANK}]"
_SCHEMAS: dict[Check, dict[str, Any]] = {}


def schema_of(check: Check) -> dict[str, Any]:
    """What a check takes, as JSON Schema (2020-12); null is not said. One thing it cannot say: that
    1.0 is no whole number.
    """
    return _SCHEMAS[check]


def _told(check: Check, **schema: Any) -> Check:
    _SCHEMAS[check] = schema
    return check


def describe(value: object) -> str:
    """What a value is, for people: numbers shortened, text and containers by size alone."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"a number ({shorten(value)})"
    if isinstance(value, str):
        return f"a string of {len(value):,} characters"
    if isinstance(value, list | tuple):
        return f"a list of {len(value):,}"
    return "an object" if isinstance(value, dict) else f"a {type(value).__name__}"


def shorten(value: float) -> str:
    """A number's digits, cut where there are many (Python itself refuses to write out an integer of
    thousands of digits).
    """
    if isinstance(value, int) and value.bit_length() > 256:
        return f"{'-' if value < 0 else ''}2^{value.bit_length() - 1} or more"
    shown = repr(value)
    return shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "…"


def label(limit: int = 256, *, optional: bool = False) -> Check:
    """An id or a short name: 1 to `limit` characters, no control characters. Empty and optional
    counts as absent.
    """

    def check(name: str, value: object) -> str | None:
        if type(value) is not str:
            raise InvalidEventError(
                "wrong_type", f"{name} is {_kind(value)}, Upwell takes a string{_quoted(value)}"
            )
        if not 1 <= len(value) <= limit:
            if value:
                raise InvalidEventError(
                    "too_long",
                    f"{name} has {len(value):,} characters, at most {limit:,} are allowed",
                )
            if optional:
                return None
            raise InvalidEventError(
                "empty", f"{name} is empty, 1 to {limit:,} characters are needed"
            )
        if not (value.isascii() and value.isprintable()) and (
            unfit := _UNFIT_IN_LABELS.search(value)
        ):
            raise InvalidEventError(
                "bad_character",
                f"{name} holds the character U+{ord(unfit[0]):04X}, which cannot stand there",
            )
        return value

    unfit_there = {"type": "string", "pattern": r"[\u0000-\u001f\u007f-\u009f\u2028\u2029]"}
    least = 0 if optional else 1
    return _told(check, type="string", minLength=least, maxLength=limit, **{"not": unfit_there})


def text(limit: int, *, optional: bool = False) -> Check:
    """Words of a person: up to `limit` characters, not only white space. Blank and optional counts
    as absent.
    """

    def check(name: str, value: object) -> str | None:
        if type(value) is not str:
            raise InvalidEventError(
                "wrong_type", f"{name} is {_kind(value)}, Upwell takes a string{_quoted(value)}"
            )
        if len(value) > limit:
            raise InvalidEventError(
                "too_long", f"{name} has {len(value):,} characters, at most {limit:,} are allowed"
            )
        if not value or value.isspace():
            if optional:
                return None
            raise InvalidEventError("empty", f"{name} has no words in it")
        if not value.isascii() and (unfit := _SURROGATE.search(value)):
            raise InvalidEventError(
                "bad_character",
                f"{name} holds half a character (U+{ord(unfit[0]):04X}), which is no Unicode text",
            )
        return value

    words = {} if optional else {"pattern": WORDS}
    return _told(check, type="string", maxLength=limit, **words)


def whole(low: int, high: int) -> Check:
    """A whole number from `low` to `high`; true, false and 1.0 are none."""

    def check(name: str, value: object) -> int:
        if type(value) is not int:
            raise InvalidEventError(
                "wrong_type", f"{name} is {describe(value)}, Upwell takes a whole number"
            )
        if not low <= value <= high:
            raise InvalidEventError(
                "out_of_range", f"{name} is {shorten(value)}, {low:,} to {high:,} is right"
            )
        return value

    return _told(check, type="integer", minimum=low, maximum=high)


def number(low: float, high: float = math.inf, *, above: bool = False) -> Check:
    """A finite number from `low` (not itself where `above`) to `high`."""
    right = (
        f"{'above' if above else 'at least'} {low:g}"
        + (f" and at most {high:g}" if high < math.inf else "")
        + " is right"
    )

    def check(name: str, value: object) -> float:
        if type(value) is not float:
            if type(value) is not int:
                raise InvalidEventError(
                    "wrong_type", f"{name} is {describe(value)}, Upwell takes a number"
                )
            if not -(2**63) <= value < 2**63:
                raise InvalidEventError("out_of_range", f"{name} is {shorten(value)}, {right}")
            value = float(value)
        if not low <= value <= high or (above and value == low) or value == math.inf:
            reason = "out_of_range" if math.isfinite(value) else "not_finite"
            raise InvalidEventError(reason, f"{name} is {shorten(value)}, {right}")
        return value

    ends = {"exclusiveMinimum" if above else "minimum": low}
    return _told(check, type="number", **ends, **({"maximum": high} if high < math.inf else {}))


def flag(name: str, value: object) -> bool:
    """true or false; 0, 1 and "true" are none."""
    if type(value) is not bool:
        raise InvalidEventError(
            "wrong_type", f"{name} is {describe(value)}, Upwell takes true or false"
        )
    return value


_told(flag, type="boolean")


def choice(kinds: type[StrEnum]) -> Check:
    """One of the names of `kinds`."""
    known: dict[str, StrEnum] = {kind.value: kind for kind in kinds}

    def check(name: str, value: object) -> StrEnum:
        if not isinstance(value, str):
            raise InvalidEventError(
                "wrong_type", f"{name} is {describe(value)}, Upwell takes one of {', '.join(known)}"
            )
        if (kind := known.get(value)) is not None:
            return kind
        shown = f"“{value}”" if _SHORT_WORD.fullmatch(value) else describe(value)
        near = get_close_matches(value.lower()[:64], known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise InvalidEventError(
            "unknown_value", f"{name} is {shown}, Upwell takes one of {', '.join(known)}{hint}"
        )

    return _told(check, type="string", enum=list(known))


def listing(check_one: Check, limit: int, *, least: int = 0) -> Check:
    """A list of `least` to `limit` values that each pass `check_one`; becomes a tuple."""

    def check(name: str, value: object) -> tuple[Any, ...]:
        if type(value) is not list:
            raise InvalidEventError("wrong_type", f"{name} is {_kind(value)}, Upwell takes a list")
        if len(value) > limit:
            raise InvalidEventError(
                "too_long", f"{name} has {len(value):,} entries, at most {limit:,} are allowed"
            )
        if len(value) < least:
            raise InvalidEventError(
                "empty", f"{name} is an empty list, at least {least} entry is needed"
            )
        try:
            return tuple([check_one(name, one) for one in value])
        except InvalidEventError:
            for index, one in enumerate(value):  # the slow path, to say which entry it was
                check_one(f"{name}[{index}]", one)
            raise

    return _told(check, type="array", items=schema_of(check_one), minItems=least, maxItems=limit)


def mapping(check_one: Check, limit: int) -> Check:
    """An object of up to `limit` names of 1 to 64 characters, whose values each pass `check_one`;
    becomes a tuple of pairs, in the order of names.
    """
    check_name = label(64)

    def check(name: str, value: object) -> tuple[tuple[str, Any], ...]:
        if type(value) is not dict:
            raise InvalidEventError(
                "wrong_type", f"{name} is {_kind(value)}, Upwell takes an object"
            )
        if len(value) > limit:
            raise InvalidEventError(
                "too_long", f"{name} has {len(value):,} names, at most {limit:,} are allowed"
            )
        return tuple(
            (check_name(f"a name in {name}", key), check_one(f"{name}[{place}]", value[key]))
            for place, key in enumerate(sorted(value))
        )

    names = schema_of(check_name)
    every = schema_of(check_one)
    return _told(
        check,
        type="object",
        propertyNames=names,
        additionalProperties=every,
        maxProperties=limit,
    )


def _kind(value: object) -> str:
    """What an id or text was instead of a string: without its value, since a number may well be a
    person's id.
    """
    return (
        "a number"
        if isinstance(value, int | float) and not isinstance(value, bool)
        else describe(value)
    )


def _quoted(value: object) -> str:
    return (
        ": put the number in quotes"
        if isinstance(value, int | float) and not isinstance(value, bool)
        else ""
    )
