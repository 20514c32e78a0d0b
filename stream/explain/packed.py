"""Requests, items, rules and terms of bounds as bytes, and back to the bit.

It knows nothing about where they are kept.
"""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from stream.chain.wire import decode_item, encode_item
from upwell.knowledge import Rule
from upwell.ports import RankRequest
from upwell.recommendations import Entry, Reason
from upwell.values import CatalogueItem, Interaction, UserState

__all__ = [
    "pack",
    "pack_entries",
    "pack_items",
    "pack_lift",
    "pack_request",
    "pack_rules",
    "unpack",
    "unpack_entries",
    "unpack_items",
    "unpack_lift",
    "unpack_request",
    "unpack_rules",
]

_FAST = 1


def pack(value: Any) -> bytes:
    """JSON, compressed."""
    return zlib.compress(orjson.dumps(value), _FAST)


def unpack(data: bytes) -> Any:
    """The inverse."""
    return orjson.loads(zlib.decompress(data))


def pack_request(request: RankRequest) -> bytes:
    """Of the state what a list is made of: intent, history, `had`, how many events."""
    state = request.state
    return pack(
        {
            "list_id": request.list_id,
            "user": state.user,
            "intent": b64encode(np.asarray(state.intent, "<f4").tobytes()).decode(),
            "intent_ts": state.intent_ts,
            "history": [_row(one) for one in state.history],
            "had": state.had,
            "events": state.events,
            "k": request.k,
            "exclude": request.exclude,
            "category": request.category,
            "words": request.words,
            "reviewed": request.reviewed,
            "lot": request.lot,
            "worn": list(request.worn.items()),
            "pinned": request.pinned,
            "boosted": list(request.boosted.items()),
            "at": request.at,
            "surface": request.surface,
        }
    )


def _row(one: Interaction) -> tuple[Any, ...]:
    """As arguments of `Interaction`."""
    row = (one.event_id, one.ts, one.item_id, one.kind, one.rating)
    return row if one.completion is None else (*row, "", -1, one.completion)


def unpack_request(data: bytes) -> RankRequest:
    """The inverse."""
    told = unpack(data)
    return RankRequest(
        state=UserState(
            user=told["user"],
            intent=np.frombuffer(b64decode(told["intent"]), "<f4").astype(np.float32),
            intent_ts=told["intent_ts"],
            history=tuple(Interaction(*one) for one in told["history"]),
            had=tuple(told["had"]),
            events=told["events"],
        ),
        k=told["k"],
        exclude=tuple(told["exclude"]),
        category=told["category"],
        words=told["words"],
        reviewed=told.get("reviewed", False),  # of lists before 2026-12: titles like a review too
        lot=told["lot"],
        worn=dict(told["worn"]),
        pinned=tuple(told["pinned"]),
        boosted=dict(told["boosted"]),
        at=told["at"],
        list_id=told["list_id"],
        surface=told.get("surface"),  # of lists before 2026-12: none
    )


def pack_entries(entries: Sequence[Entry]) -> bytes:
    """A list as it was made."""
    return pack(entries)


def unpack_entries(data: bytes) -> tuple[Entry, ...]:
    """The inverse."""
    return tuple(
        Entry(**one | {"reasons": tuple(Reason(**reason) for reason in one["reasons"])})
        for one in unpack(data)
    )


def pack_items(items: Sequence[CatalogueItem]) -> bytes:
    """In their order, with what the policy of this process blocked."""
    return pack([(encode_item(one).decode(), one.blocked) for one in items])


def unpack_items(data: bytes) -> list[CatalogueItem]:
    """The inverse, without pictures, whose share the vectors have."""
    return [replace(decode_item(one.encode()), blocked=blocked) for one, blocked in unpack(data)]


def pack_rules(rules: Mapping[str, Rule | None]) -> bytes:
    """Rules by id, None of one that was taken back."""
    return pack(rules)


def unpack_rules(data: bytes) -> dict[str, Rule | None]:
    """The inverse."""
    return {
        name: None if told is None else Rule(**told | {"months": tuple(told["months"])})
        for name, told in unpack(data).items()
    }


def pack_lift(lift: NDArray[np.float64]) -> dict[str, Any]:
    """(n,) of few distinct values; of none an empty object."""
    if not len(lift):
        return {}
    values, places = np.unique(lift, return_inverse=True)
    packed = zlib.compress(places.astype("<u4").tobytes(), _FAST)
    return {"values": values.tolist(), "places": b64encode(packed).decode()}


def unpack_lift(told: Mapping[str, Any]) -> NDArray[np.float64]:
    """The inverse."""
    if not told:
        return np.zeros(0)
    places = np.frombuffer(zlib.decompress(b64decode(told["places"])), "<u4")
    lift: NDArray[np.float64] = np.array(told["values"])[places]
    return lift
