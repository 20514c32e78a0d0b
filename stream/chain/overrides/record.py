"""The bytes of the compacted topic `overrides`: of each override_id what stands, in one record."""

from __future__ import annotations

from dataclasses import fields
from hashlib import blake2b
from typing import Any

import orjson

from stream.chain.effects import Erasure
from stream.chain.overrides.ledger import Kept
from stream.chain.overrides.override import Override
from upwell.errors import BrokerError
from upwell.events import Control, ControlKind
from upwell.schema import event_value

__all__ = ["decode_kept", "encode_kept", "withdrawal_of"]

VERSION = 1


def encode_kept(kept: Kept) -> bytes:
    """Of the record's value; what stands of nothing has none."""
    values: dict[str, Any] = {one.name: getattr(kept, one.name) for one in fields(kept)}
    for name in ("standing", "waiting"):
        if values[name] is not None:
            values[name] = values[name].values()
    return orjson.dumps({"v": VERSION, **values})


def decode_kept(value: bytes) -> Kept:
    """The inverse. Raises `BrokerError` where something else wrote it."""
    try:
        told = orjson.loads(value)
        if told.pop("v") != VERSION:
            raise ValueError("another version of Upwell wrote it")
        for name in ("standing", "waiting"):
            if told[name] is not None:
                told[name] = Override.of(told[name])
        return Kept(**{**told, "approvals": tuple(told["approvals"])})
    except (ValueError, TypeError, LookupError, AttributeError) as exc:
        raise BrokerError(
            f"topic overrides holds a record that cannot be read ({exc}): who else writes to that "
            "topic?"
        ) from exc


def withdrawal_of(override_id: str, erasure: Erasure, now_ms: int) -> bytes:
    """The control that takes back an override which names a user who is forgotten. now_ms: UTC ms.
    The same request gives the same event_id.
    """
    told = f"{erasure.source} {erasure.offset} {override_id}".encode()
    control = Control(
        event_id=f"forgotten-{blake2b(told, digest_size=16).hexdigest()}",
        ts=now_ms,
        kind=ControlKind.WITHDRAW,
        by="upwell",
        why="the user whom it names was forgotten",
        override_id=override_id,
    )
    return orjson.dumps(event_value(control))
