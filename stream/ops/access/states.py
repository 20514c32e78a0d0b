"""Users' states out of whichever store there is, also while the worker runs that alone may open
it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from encoders import model_dimension
from store.codec import decode_user
from stream.broker.connect import open_settings_store
from upwell.errors import StoreError
from upwell.settings import Settings
from upwell.system.errands import ask
from upwell.system.lock import try_lock
from upwell.values import UserState

__all__ = ["Found", "read_states", "state_json"]

SERVE_SECONDS = 60.0
"""That serve is given to answer: it may be in a large batch, or starting."""

States = dict[str, UserState | None]


@dataclass(frozen=True, slots=True)
class Found:
    """states: by pseudonym, None for who has none. where: which store said so, for people."""

    states: States
    where: str


def read_states(settings: Settings, users: Sequence[str], seconds: float = SERVE_SECONDS) -> Found:
    """Of `users` (pseudonyms). seconds: that a running serve is given.

    Raises `StoreError` where a store is there and cannot be asked.
    """
    kind, folder = settings.store.kind, settings.data / "store"
    if kind == "server":
        return Found(_opened(settings, users), f"Qdrant server at {settings.store.url}")
    if kind == "memory":
        return _from_memory(settings, users, seconds)
    if not folder.is_dir():
        return Found(dict.fromkeys(users), f"no store in {folder} yet")
    held = try_lock(folder / "owner.lock")
    if held is None:
        return Found(_asked(folder, users, seconds), f"the running serve's store in {folder}")
    os.close(held)
    return Found(_opened(settings, users), f"the store in {folder}")


_SAID = ("event_id", "ts", "item_id", "kind", "rating", "completion")


def state_json(state: UserState) -> dict[str, Any]:
    """All of a state, JSON-ready, by the names of its fields."""
    return {
        "user": state.user,
        "events": state.events,
        "history": [
            {name: getattr(one, name) for name in _SAID}
            | {"source": one.source, "offset": one.offset}
            for one in state.history
        ],
        "had": list(state.had),
        "impressions": [
            {"event_id": one.event_id, "ts": one.ts, "item_ids": list(one.item_ids)}
            for one in state.shown
        ],
        "pending": [
            {"item_id": one.item_id, "ts": one.ts, "weight": one.weight} for one in state.pending
        ],
        "intent": [round(float(number), 6) for number in state.intent],
        "intent_ts": state.intent_ts,
        "watermark": dict(state.watermark),
        "merged": {
            name: {"partition": guest.partition, "covers": dict(guest.covers)}
            for name, guest in state.merged.items()
        },
        "tags": {
            name: {"ts": tag.ts, "event_id": tag.event_id, "on": tag.on}
            for name, tag in state.tags.items()
        },
        "merged_into": None if state.merged_into is None else state.merged_into.user,
    }


def _opened(settings: Settings, users: Sequence[str]) -> States:
    with closing(open_settings_store(settings, model_dimension(settings.encoder.model))) as store:
        return dict(zip(users, store.read_users(users), strict=True))


def _from_memory(settings: Settings, users: Sequence[str], seconds: float) -> Found:
    """A store in memory is a running serve's, or nowhere."""
    folder = settings.data / "store"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return Found(_asked(folder, users, seconds), "the running serve's memory")
    except StoreError as exc:
        where = f"UPWELL_STORE=memory, which lives in serve alone, and {exc}"
        return Found(dict.fromkeys(users), where)


def _asked(folder: Path, users: Sequence[str], seconds: float) -> States:
    """What the owner of the store says. It writes beside the store, for this user alone to read."""
    own = Path(tempfile.mkdtemp(prefix="export-", dir=folder.parent)).absolute()
    try:
        target = own / "states.json"
        error = ask(folder, "user-copy", {"users": list(users), "target": str(target)}, seconds)
        if error is not None:
            raise StoreError(f"serve cannot read its store: {error}")
        rows = orjson.loads(target.read_bytes())
    except (TimeoutError, OSError) as exc:
        raise StoreError(
            f"serve did not say what it holds ({exc}): does it run on this data folder, and is it "
            "of this version?"
        ) from exc
    finally:
        shutil.rmtree(own, ignore_errors=True)
    states = [row and decode_user(row["vector"], row["payload"]) for row in rows]
    return dict(zip(users, states, strict=True))
