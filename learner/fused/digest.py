"""Digests of parameters by row, and of all rows together in whatever order a process has them."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["combined", "item_keys", "row_digests"]

_WIDEST = 128  # columns of a row, of all parameters together
_FACTORS = np.random.default_rng(0x75_70).integers(1, 2**63, _WIDEST, np.uint64) * np.uint64(2) + (
    np.uint64(1)
)


def row_digests(values: NDArray[Any], first: int = 0) -> NDArray[np.uint64]:
    """(n, m) floats of at most 32 bits → (n,): a sum of their bits by fixed odd factors, modulo
    2^64; zero where a row is all zero. first: column of the table of factors.
    """
    plain = values + values.dtype.type(0.0)  # -0.0 ranks like 0.0
    bits = plain.view(np.uint16 if values.dtype == np.float16 else np.uint32)
    return np.asarray(bits.astype(np.uint64) @ _FACTORS[first : first + values.shape[1]])


def item_keys(item_ids: Sequence[str]) -> NDArray[np.uint64]:
    """(n,) odd numbers of 64 bits: an item's is the same in every process."""
    digests = b"".join(blake2b(one.encode(), digest_size=8).digest() for one in item_ids)
    return np.frombuffer(digests, "<u8").astype(np.uint64) | np.uint64(1)


def combined(keys: NDArray[np.uint64], digests: NDArray[np.uint64]) -> int:
    """(n,) keys and (n,) digests of the same items → 64 bits that do not depend on their order, nor
    on items whose digest is 0.
    """
    return int((keys * digests).sum(dtype=np.uint64))
