"""A user's state and an item as (vector, payload) points, and back: decode(encode(x)) = x.

Everything but the vector is packed into one JSON string, history as columns, so that a backend
parses nothing. It knows no backend.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import ArrayLike

from store.columns import Columns
from store.schema import (
    Payload,
    Point,
    check_finite,
    check_id,
    check_sequence,
    check_vector,
    point_id,
)
from upwell.errors import StoreError
from upwell.values import (
    CatalogueItem,
    Guest,
    Interaction,
    MergedInto,
    Pending,
    Shown,
    Tag,
    UserState,
)

__all__ = ["decode_item", "decode_user", "encode_item", "encode_user"]

FORMAT = 1
HISTORY = Columns(Interaction, repeated=frozenset({"kind", "source"}))
PENDING = Columns(Pending)
_KNOWN = ("triples", "values")
_RARE = (*_KNOWN, "waiting", "group")  # written where there is something to say


def encode_user(state: UserState, dimension: int) -> Point:
    """A checked point of a state; raises `StoreError` where the state could not be read back as it
    is.
    """
    check_id(state.user, "user")
    owner = f"user {state.user!r}"
    sequence = state.sequence
    check_sequence(sequence, owner)
    check_vector(state.intent, dimension, owner)
    check_finite([event.rating for event in state.history], "a rating", owner)
    check_finite([event.completion for event in state.history], "a completion", owner)
    check_finite([event.weight for event in state.pending], "a pending weight", owner)
    into = state.merged_into
    packed = _pack(
        {
            "format": FORMAT,
            "intent_ts": state.intent_ts,
            "events": state.events,
            "watermark": dict(state.watermark),
            "had": state.had,
            "history": _history(state.history),
            "pending": PENDING.pack(state.pending),
            "merged": {
                name: (guest.partition, dict(guest.covers)) for name, guest in state.merged.items()
            },
            "merged_into": into and (into.user, into.partition, into.whole),
            "shown": [(one.event_id, one.ts, one.item_ids) for one in state.shown],
            "tags": {name: (tag.ts, tag.event_id, tag.on) for name, tag in state.tags.items()},
        },
        owner,
    )
    payload: Payload = {"user": state.user, "sequence": sequence, "state": packed}
    return Point(point_id(state.user), state.user, sequence, state.intent, payload)


def decode_user(vector: ArrayLike, payload: dict[str, Any]) -> UserState:
    """The state of a point; raises `StoreError` on a point of another format. One that was written
    before users were merged has no guests, one from before impressions counted has none, one from
    before segments has no tags.
    """
    user = payload.get("user")
    packed = _unpack(payload.get("state"), f"user {user!r}")
    try:
        history, pending = HISTORY.unpack(packed["history"]), PENDING.unpack(packed["pending"])
    except ValueError as exc:
        raise StoreError(
            f"the point of user {user!r} is damaged ({exc}): forget the user and replay its events"
        ) from exc
    return UserState(
        user=str(user),
        intent=np.asarray(vector, dtype=np.float32),
        intent_ts=packed["intent_ts"],
        history=history,
        had=tuple(packed["had"]),
        pending=pending,
        events=packed["events"],
        watermark=packed["watermark"],
        merged={name: Guest(*guest) for name, guest in packed.get("merged", {}).items()},
        merged_into=MergedInto(*into) if (into := packed.get("merged_into")) else None,
        shown=_shown(packed.get("shown", ())),
        tags={name: Tag(*tag) for name, tag in packed.get("tags", {}).items()},
    )


def _history(history: Sequence[Interaction]) -> dict[str, list[Any]]:
    """Completions where there are any: most apps play nothing."""
    columns = HISTORY.pack(history)
    if not any(one is not None for one in columns["completion"]):
        del columns["completion"]
    return columns


def _shown(rows: Iterable[tuple[str, int, list[str]]]) -> tuple[Shown, ...]:
    """Of an item that was shown again and again the id is in memory once."""
    known: dict[str, str] = {}
    return tuple(
        Shown(event_id, ts, tuple(known.setdefault(one, one) for one in item_ids))
        for event_id, ts, item_ids in rows
    )


def encode_item(item: CatalogueItem, dimension: int) -> Point:
    """A checked point of an item; raises `StoreError` where the item could not be read back as it
    is.
    """
    check_id(item.item_id, "item")
    owner = f"item {item.item_id!r}"
    check_sequence(item.sequence, owner)
    check_vector(item.vector, dimension, owner)
    check_finite([item.price], "the price", owner)
    check_finite([item.boost], "the boost", owner)
    packed = _pack(
        {
            "format": FORMAT,
            "ts": item.ts,
            "title": item.title,
            "revision": item.revision,
            "text": item.text,
            "categories": item.categories,
            "relations": item.relations,
            "brand": item.brand,
            "price": item.price,
            "image": item.image,
            "language": item.language,
            "deleted": item.deleted,
            "banned": item.banned,
            "pinned": item.pinned,
            "boost": item.boost,
            **_picture(item, owner),
            **{name: known for name in _RARE if (known := getattr(item, name))},
        },
        owner,
    )
    payload: Payload = {
        "item_id": item.item_id,
        "sequence": item.sequence,
        "item": packed,
    }
    return Point(point_id(item.item_id), item.item_id, item.sequence, item.vector, payload)


def decode_item(vector: ArrayLike, payload: dict[str, Any]) -> CatalogueItem:
    """The item of a point; raises `StoreError` on a point of another format."""
    item_id = payload.get("item_id")
    packed = _unpack(payload.get("item"), f"item {item_id!r}")
    del packed["format"]
    if (picture := packed.get("picture")) is not None:
        packed["picture"] = np.frombuffer(b64decode(picture), "<f2").astype(np.float32)
    packed["categories"] = tuple(packed["categories"])
    for known in ("relations", *_KNOWN):
        packed[known] = tuple((name, tuple(ends)) for name, ends in packed.get(known, ()))
    return CatalogueItem(
        item_id=str(item_id),
        vector=np.asarray(vector, dtype=np.float32),
        sequence=payload["sequence"],
        **packed,
    )


def _picture(item: CatalogueItem, owner: str) -> dict[str, str]:
    """Nothing of an item at which nobody looked; the vector's numbers are of half precision."""
    if not item.pictured:
        return {}
    told = {"pictured": item.pictured}
    if item.picture is not None:
        raw = item.picture.astype("<f2")
        if not np.array_equal(raw.astype(np.float32), item.picture):
            raise StoreError(f"the picture of {owner} is not of half precision")
        told["picture"] = b64encode(raw.tobytes()).decode()
    return told


def _pack(value: dict[str, object], owner: str) -> str:
    try:
        return orjson.dumps(value).decode()
    except TypeError as exc:  # lone surrogates, integers beyond 64 bits, values of a wrong type
        raise StoreError(f"{owner} cannot be stored: {exc}") from exc


def _unpack(packed: object, owner: str) -> dict[str, Any]:
    value = orjson.loads(packed) if isinstance(packed, str) else {}
    if value.get("format") != FORMAT:
        raise StoreError(
            f"the point of {owner} was not written by this version of Upwell: point it at "
            "another store"
        )
    result: dict[str, Any] = value
    return result
