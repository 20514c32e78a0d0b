"""JSON of what Upwell publishes: lists, dead letters, confirmations. A dead letter's bytes and its
record's key travel as base64.

Reading takes what it knows and leaves out the fields of a newer version; what cannot be read at all
is an `InvalidEventError`.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import MISSING, fields
from typing import Any

import orjson

from upwell.errors import InvalidEventError
from upwell.recommendations import Confirmation, DeadLetter, Entry, Reason, Recommendations

__all__ = [
    "confirmation_value",
    "dead_letter_value",
    "parse_confirmation",
    "parse_dead_letter",
    "parse_recommendations",
    "recommendations_value",
]

KEPT_BYTES = 512 << 10
"""Of a dead letter's bytes: base64 makes 4 of 3, and a broker takes records of 1 MiB by default.
The rest is at its topic and offset.
"""


def recommendations_value(recommendations: Recommendations) -> bytes:
    """The value of a record on `recommendations`."""
    return orjson.dumps(recommendations)


def parse_recommendations(raw: bytes) -> Recommendations:
    """The inverse. Raises `InvalidEventError`."""
    try:
        value: dict[str, Any] = orjson.loads(raw)
        value["items"] = tuple(_entry(item) for item in value["items"])
        return Recommendations(**_known(Recommendations, value))
    except (KeyError, TypeError, ValueError) as exc:
        raise InvalidEventError(
            "unreadable",
            f"a record on recommendations is no list of this version of Upwell ({exc!r})",
        ) from exc


def confirmation_value(confirmation: Confirmation) -> bytes:
    """The value of a record on `confirmations`."""
    return orjson.dumps(confirmation)


def parse_confirmation(raw: bytes) -> Confirmation:
    """The inverse. Raises `InvalidEventError`."""
    try:
        value: dict[str, Any] = orjson.loads(raw)
        value["remains"] = tuple(value["remains"])
        return Confirmation(**_known(Confirmation, value))
    except (KeyError, TypeError, ValueError) as exc:
        raise InvalidEventError(
            "unreadable", f"a record on confirmations is none of this version of Upwell ({exc!r})"
        ) from exc


def dead_letter_value(letter: DeadLetter) -> bytes:
    """The value of a record on `dead_letters`; of bytes beyond `KEPT_BYTES` the first are kept, and
    it is `cut`.
    """
    value = {name: getattr(letter, name) for name in DeadLetter.__slots__}
    value["raw"] = b64encode(letter.raw[:KEPT_BYTES]).decode()
    value["key"] = None if letter.key is None else b64encode(letter.key).decode()
    if len(letter.raw) > KEPT_BYTES:
        value["cut"] = True
        value["detail"] += f" (raw has the first {KEPT_BYTES:,} of {len(letter.raw):,} bytes)"
    return orjson.dumps(value)


def parse_dead_letter(raw: bytes) -> DeadLetter:
    """The inverse. Raises `InvalidEventError`."""
    try:
        value: dict[str, Any] = orjson.loads(raw)
        value["raw"] = b64decode(value["raw"], validate=True)
        if value.get("key") is not None:
            value["key"] = b64decode(value["key"], validate=True)
        return DeadLetter(**_known(DeadLetter, value))
    except (KeyError, TypeError, ValueError) as exc:
        raise InvalidEventError(
            "unreadable", f"a record on dead_letters is none of this version of Upwell ({exc!r})"
        ) from exc


def _entry(value: dict[str, Any]) -> Entry:
    reasons = tuple(Reason(**_known(Reason, reason)) for reason in value["reasons"])
    return Entry(**_known(Entry, value | {"reasons": reasons}))


def _known(kind: type, value: dict[str, Any]) -> dict[str, Any]:
    return {
        field.name: value[field.name]
        for field in fields(kind)
        if field.name in value or field.default is MISSING
    }
