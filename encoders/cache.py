"""Texts seen before are not encoded again: a bounded cache by content in front of any encoder."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

from upwell.ports import Encoder
from upwell.values import Vector

__all__ = ["CachingEncoder"]


class CachingEncoder:
    """entries: how many vectors are kept; the least recently used leave first. Safe to call from several threads.

    The key is the text's hash; the cache lives with one encoder, so one revision.
    """

    def __init__(self, encoder: Encoder, entries: int) -> None:
        self._encoder = encoder
        self._entries = entries
        self._vectors: OrderedDict[bytes, Vector] = OrderedDict()
        self._lock = threading.Lock()
        self.hits = 0
        self.misses = 0

    @property
    def dimension(self) -> int:
        return self._encoder.dimension

    @property
    def revision(self) -> str:
        return self._encoder.revision

    def encode(self, texts: Sequence[str]) -> Vector:
        """As the encoder behind; a text that stands twice in `texts` is encoded once."""
        keys = [blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest() for text in texts]
        found = self._lookup(keys)
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        if missing:
            found |= dict(zip(missing, self._encoder.encode(list(missing.values())), strict=True))
            self._keep(found)
        if not keys:
            return np.zeros((0, self.dimension), dtype=np.float32)
        return np.stack([found[key] for key in keys])

    def _lookup(self, keys: Sequence[bytes]) -> dict[bytes, Vector]:
        with self._lock:
            found = {key: self._vectors[key] for key in keys if key in self._vectors}
            for key in found:
                self._vectors.move_to_end(key)
            self.hits += sum(key in found for key in keys)
            self.misses += sum(key not in found for key in keys)
        return found

    def _keep(self, found: dict[bytes, Vector]) -> None:
        with self._lock:
            self._vectors |= found
            while len(self._vectors) > self._entries:
                self._vectors.popitem(last=False)
