"""How values of a topic are read, from JSON's types to a frozen record and back: one loop over a
table of fields, with the time and version that all have.

It knows nothing of what the records mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from enum import StrEnum
from functools import cached_property
from typing import Any

from upwell.errors import InvalidEventError
from upwell.fields import Check, describe, shorten

__all__ = ["EARLIEST_MS", "VERSION", "Shape"]

VERSION = 1
"""Of the events' meaning.

A new field does not raise it; what an older reader would take for something else does.
"""
EARLIEST_MS = 100_000_000_000
"""1973 in milliseconds, the year 5138 in seconds: what lies between 0 and this is in seconds."""
FUTURE_MS = 24 * 3_600_000
"""How far ahead of our clock an app's clock may go."""


@dataclass(frozen=True)
class Shape:
    """How values of a topic are read: `kind` is a frozen dataclass with `ts`, `checks` are of each
    of its other fields by itself, `agree` of how they go together. clearable: fields that a null
    takes away.
    """

    kind: type[Any]
    checks: Mapping[str, Check]
    agree: Callable[[Any], None] | None = None
    clearable: tuple[str, ...] = ()

    @cached_property
    def needed(self) -> frozenset[str]:
        """Fields that must be there."""
        return frozenset(one.name for one in fields(self.kind) if one.default is MISSING)

    @cached_property
    def names(self) -> frozenset[str]:
        """Of all fields that are read."""
        return frozenset({"v", "ts", *self.checks})

    def read(self, value: object, now_ms: int) -> Any:
        """As `parse_event`."""
        if type(value) is not dict:
            raise InvalidEventError(
                "not_an_object", f"the value is {describe(value)}, Upwell takes a JSON object"
            )
        get, needed = value.get, self.needed
        if (version := get("v")) is not None:
            _check_version(version)
        known: dict[str, Any] = {"ts": _time(get("ts"), now_ms)}
        for name, check in self.checks.items():
            if (one := get(name)) is not None:
                known[name] = check(name, one)
            elif name in needed:
                raise _missing(name, value)
        if self.clearable:
            gone = (one for one in self.clearable if one in value)
            known["cleared"] = tuple(one for one in gone if known.get(one) in (None, ()))
        found = self.kind(**known)
        if self.agree is not None:
            self.agree(found)
        return found

    def value(self, record: Any) -> dict[str, Any]:
        """The record as JSON's types, what is absent or the default left out: `read` of it gives
        the record again.
        """
        value: dict[str, Any] = dict.fromkeys(getattr(record, "cleared", ()))
        for name, default in self._defaults:
            one = getattr(record, name)
            if one is None or one == default:
                continue
            if type(one) is tuple:
                one = {of: list(ids) for of, ids in one} if name == "relations" else list(one)
            elif isinstance(one, StrEnum):
                one = one.value
            value[name] = one
        return value

    @cached_property
    def _defaults(self) -> tuple[tuple[str, Any], ...]:
        return tuple((one.name, one.default) for one in fields(self.kind) if one.name in self.names)


def _check_version(version: object) -> None:
    if type(version) is not int:
        raise InvalidEventError(
            "wrong_type", f"v is {describe(version)}, Upwell takes a whole number"
        )
    if version < 1:
        raise InvalidEventError("out_of_range", f"v is {shorten(version)}, 1 to {VERSION} is right")
    if version > VERSION:
        remedy = "update Upwell, then `upwell dead-letters replay --reason unknown_version`"
        raise InvalidEventError(
            "unknown_version",
            f"v is {shorten(version)}, this Upwell knows events up to {VERSION}: {remedy}",
        )


def _time(ts: object, now_ms: int) -> int:
    if type(ts) is not int:
        if ts is None:
            raise InvalidEventError(
                "missing_field", "ts is missing: the event's time in UTC milliseconds since 1970"
            )
        raise InvalidEventError(
            "wrong_type", f"ts is {describe(ts)}, Upwell takes UTC milliseconds as a whole number"
        )
    if EARLIEST_MS <= ts <= now_ms + FUTURE_MS or ts == 0:
        return ts
    shown = shorten(ts)
    if ts < 0:
        raise InvalidEventError(
            "bad_time", f"ts is before 1970 ({shown}): Upwell takes UTC milliseconds since then"
        )
    if ts < EARLIEST_MS:
        raise InvalidEventError(
            "bad_time", f"ts looks like seconds ({shown}): Upwell takes UTC milliseconds"
        )
    for unit, per_ms in (("microseconds", 1_000), ("nanoseconds", 1_000_000)):
        if EARLIEST_MS <= ts // per_ms <= now_ms + FUTURE_MS:
            raise InvalidEventError(
                "bad_time", f"ts looks like {unit} ({shown}): Upwell takes UTC milliseconds"
            )
    hours = shorten((ts - now_ms) // 3_600_000)
    raise InvalidEventError(
        "bad_time",
        f"ts is {hours} hours in the future ({shown}), 24 are allowed: check the app's clock",
    )


def _missing(name: str, value: dict[str, Any]) -> InvalidEventError:
    what = "null" if name in value else "missing"
    plain = name.replace("_", "").lower()
    for given in value:
        if (
            isinstance(given, str)
            and given != name
            and given[:64].replace("_", "").lower() == plain
        ):
            return InvalidEventError(
                "missing_field",
                f"{name} is {what}; the field {given[:64]} is spelled otherwise, rename it {name}",
            )
    return InvalidEventError("missing_field", f"{name} is {what}")
