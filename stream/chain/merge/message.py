"""The bytes of what owners of users tell each other on `rerouted`, of a size that a broker takes.

Each begins with a line that is no topic's name, so it is told from an event on its way.
"""

from __future__ import annotations

from dataclasses import asdict, astuple, replace
from typing import Any

import numpy as np
import orjson

from stream.chain.fold import Incoming
from stream.chain.merge.guest import Forgetting, Merged
from upwell.values import Guest, Interaction, Vector

__all__ = ["MAX_MERGED_BYTES", "decode_message", "encode_forgetting", "encode_merged"]

VERSION = 1
MERGED, FORGETTING = b"merged\n", b"forgetting\n"
MAX_MERGED_BYTES = 3 << 20
"""`rerouted` takes 4 MiB."""


def encode_merged(merged: Merged, limit: int = MAX_MERGED_BYTES) -> bytes:
    """Of more than `limit` bytes the older half of what the guest had goes, again and again, then
    of the events.
    """
    while len(record := _merged_record(merged)) > limit and (merged.had or merged.events):
        if merged.had:
            merged = replace(merged, had=merged.had[len(merged.had) // 2 + 1 :])
        else:
            merged = replace(merged, events=merged.events[len(merged.events) // 2 + 1 :])
    return record


def encode_forgetting(forgetting: Forgetting) -> bytes:
    """The inverse of `decode_message`."""
    return FORGETTING + orjson.dumps({"v": VERSION, **asdict(forgetting)})


def decode_message(raw: bytes | None) -> Merged | Forgetting | None:
    """The inverse of `encode_merged` and `encode_forgetting`; None for an event on its way, and for
    what no worker of this version has written, which becomes a dead letter as all that is no event.
    """
    kind = next((one for one in (MERGED, FORGETTING) if raw and raw.startswith(one)), None)
    if raw is None or kind is None:
        return None
    try:
        value: dict[str, Any] = orjson.loads(raw.removeprefix(kind))
        if value.pop("v") != VERSION:
            return None
        return _forgetting(value) if kind == FORGETTING else _merged(value)
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _merged_record(merged: Merged) -> bytes:
    value = {name: getattr(merged, name) for name in Merged.__slots__}
    value["events"] = [(*_row(one.event), one.text_vector) for one in merged.events]
    value["guests"] = {name: astuple(guest) for name, guest in merged.guests.items()}
    value["covers"] = dict(merged.covers)
    return MERGED + orjson.dumps({"v": VERSION, **value}, option=orjson.OPT_SERIALIZE_NUMPY)


def _row(event: Interaction) -> tuple[Any, ...]:
    """Without a completion as older workers know it."""
    row = astuple(event)
    return row if event.completion is not None else row[:-1]


def _forgetting(value: dict[str, Any]) -> Forgetting:
    return Forgetting(**{**value, "then": tuple((user, home) for user, home in value["then"])})


def _merged(value: dict[str, Any]) -> Merged:
    events = [Incoming(Interaction(*row), _vector(text)) for *row, text in value["events"]]
    guests = {name: Guest(*guest) for name, guest in value["guests"].items()}
    rest, had = _vector(value["rest"]), tuple(value["had"])
    return Merged(**{**value, "events": tuple(events), "guests": guests, "rest": rest, "had": had})


def _vector(numbers: list[float] | None) -> Vector | None:
    return None if numbers is None else np.array(numbers, dtype=np.float32)
