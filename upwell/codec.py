"""JSON of what Upwell publishes: lists and dead letters. A dead letter's bytes travel as base64."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

import orjson

from upwell.recommendations import DeadLetter, Entry, Reason, Recommendations

__all__ = ["dead_letter_value", "parse_dead_letter", "parse_recommendations", "recommendations_value"]


def recommendations_value(recommendations: Recommendations) -> bytes:
    """The value of a record on `recommendations`."""
    return orjson.dumps(recommendations)


def parse_recommendations(raw: bytes) -> Recommendations:
    """The inverse; fields of a newer version are left out."""
    value: dict[str, Any] = orjson.loads(raw)
    value["items"] = tuple(_entry(item) for item in value["items"])
    return Recommendations(**{name: value[name] for name in Recommendations.__slots__})


def dead_letter_value(letter: DeadLetter) -> bytes:
    """The value of a record on `dead_letters`."""
    value = {name: getattr(letter, name) for name in DeadLetter.__slots__}
    value["raw"] = b64encode(letter.raw).decode()
    return orjson.dumps(value)


def parse_dead_letter(raw: bytes) -> DeadLetter:
    """The inverse."""
    value: dict[str, Any] = orjson.loads(raw)
    value["raw"] = b64decode(value["raw"])
    return DeadLetter(**value)


def _entry(value: dict[str, Any]) -> Entry:
    reasons = tuple(Reason(**reason) for reason in value["reasons"])
    return Entry(item_id=value["item_id"], score=value["score"], reasons=reasons, title=value.get("title"))
