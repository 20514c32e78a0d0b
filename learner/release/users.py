"""Users in the arrays of a checkpoint: by which digest they stand there, and the arrays without
some of them. It knows nothing about training.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["HELD", "WINDOWS", "digest", "without_users"]

WINDOWS = "fused.trainer.buffer."
"""Begins the names of the replay buffer's arrays: a row a window, but in `open` and `state`."""
HELD = "quarantine."
"""Begins the names of what waits in quarantine: `users`, `lengths` an example, `rows` the bytes."""


def digest(user: str) -> int:
    """64 bits of a pseudonym."""
    return int.from_bytes(blake2b(user.encode(), digest_size=8).digest(), "little", signed=True)


def without_users(
    arrays: Mapping[str, NDArray[Any]], users: Collection[str]
) -> tuple[dict[str, NDArray[Any]], int]:
    """A checkpoint's arrays as they are after its learner forgot the windows of `users`
    (pseudonyms), and how many windows those were.
    """
    names = np.array([digest(user) for user in users], np.int64)
    arrays = _without_held(arrays, names)
    if WINDOWS + "users" not in arrays:
        return dict(arrays), 0
    stay = ~np.isin(arrays[WINDOWS + "users"], names)
    opened, (recent, left) = np.array(arrays[WINDOWS + "open"]), arrays[WINDOWS + "state"]
    opened = opened[~np.isin(opened[:, 0], names)]
    opened[:, 1] = (np.cumsum(stay) - 1)[opened[:, 1]]
    own = {WINDOWS + "open", WINDOWS + "state"}
    kept = {
        name: array[stay] if name.startswith(WINDOWS) and name not in own else array
        for name, array in arrays.items()
    }
    kept[WINDOWS + "open"] = opened
    kept[WINDOWS + "state"] = np.array([stay[:recent].sum(), left], np.int64)
    return kept, int((~stay).sum())


def _without_held(
    arrays: Mapping[str, NDArray[Any]], names: NDArray[np.int64]
) -> Mapping[str, NDArray[Any]]:
    if HELD + "users" not in arrays:
        return arrays
    stay = ~np.isin(arrays[HELD + "users"], names)
    lengths = arrays[HELD + "lengths"]
    return {
        **arrays,
        HELD + "users": arrays[HELD + "users"][stay],
        HELD + "lengths": lengths[stay],
        HELD + "rows": arrays[HELD + "rows"][np.repeat(stay, lengths)],
    }
