"""A quarantine as arrays of a checkpoint, and back: what is held of each user is a row of its own,
so that a user can be taken out of a checkpoint without reading what is in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from learner.release.users import HELD, digest
from stream.chain.wire import decode_examples, encode_examples
from stream.quarantine.held import Held
from stream.quarantine.quarantine import Quarantine
from upwell.errors import ModelError
from upwell.values import Example

__all__ = ["arrays_of", "held_in", "take_arrays"]

VERSION = 1


def arrays_of(quarantine: Quarantine) -> dict[str, NDArray[Any]]:
    """For a checkpoint, beside the learner's own."""
    state = quarantine.state()
    held: list[Held] = state.pop("held")
    rows = [_row(one) for one in held]
    return {
        f"{HELD}state": _bytes(orjson.dumps({"v": VERSION, **state})),
        f"{HELD}users": np.array([digest(one.example.user) for one in held], np.int64),
        f"{HELD}lengths": np.array([len(row) for row in rows], np.int64),
        f"{HELD}rows": _bytes(b"".join(rows)),
    }


def take_arrays(quarantine: Quarantine, arrays: Mapping[str, NDArray[Any]]) -> bool:
    """The inverse; False where the checkpoint has none: it was made without a quarantine. Raises
    `ModelError` where another version of Upwell wrote it.
    """
    if f"{HELD}state" not in arrays:
        return False
    state = orjson.loads(arrays[f"{HELD}state"].tobytes())
    if state.pop("v", None) != VERSION:
        raise ModelError(
            "what a checkpoint says of the quarantine was written by another version of Upwell: "
            "remove the checkpoint"
        )
    quarantine.restore({**state, "held": list(held_in(arrays))})
    return True


def held_in(arrays: Mapping[str, NDArray[Any]]) -> Iterator[Held]:
    """What the checkpoint of these arrays holds back, in the order in which it came."""
    if f"{HELD}rows" not in arrays:
        return
    ends = np.cumsum(arrays[f"{HELD}lengths"])
    rows = arrays[f"{HELD}rows"].tobytes()
    for end, length in zip(ends.tolist(), arrays[f"{HELD}lengths"].tolist(), strict=True):
        item_id, at_ms, encoded = orjson.loads(rows[end - length : end])
        yield Held(item_id, at_ms, _example(encoded.encode()))


def _row(one: Held) -> bytes:
    return orjson.dumps([one.item_id, one.at_ms, encode_examples([one.example]).decode()])


def _example(encoded: bytes) -> Example:
    found = decode_examples(encoded)
    assert isinstance(found, list), "no erasure is held"
    return found[0]


def _bytes(raw: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(raw, np.uint8).copy()
