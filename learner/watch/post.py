"""What is watched: a short text, who wrote it, when."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

__all__ = ["Post", "key_of"]


@dataclass(frozen=True, slots=True)
class Post:
    """by: the author's pseudonym, empty where nobody is known. ts: UTC ms. sentiment: a label in
    [-1, 1], None without one.
    """

    post_id: str
    text: str
    by: str
    ts: int
    sentiment: float | None = None


def key_of(*parts: str) -> int:
    """63 bits of a hash: the same on every machine, and other parts have others."""
    digest = blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
