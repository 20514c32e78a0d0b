"""Texts seen before are not encoded again: a bounded cache by content and revision in front of any
encoder, and behind it, for a catalogue's texts alone, what is kept on disk.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from copy import copy
from hashlib import blake2b
from typing import Protocol, runtime_checkable

import numpy as np

from encoders.adapt.alignment import Alignment, aligned_revision
from encoders.kept import KeptVectors
from encoders.worker import Gently, busy_seconds, in_bulk
from upwell.ports import Encoder
from upwell.system.lru import Lru
from upwell.values import Vector

__all__ = ["CachingEncoder", "KeptEncoder", "content_keys", "text_sources", "tokens_read"]


@runtime_checkable
class _Closable(Protocol):
    def close(self) -> None: ...


class CachingEncoder:
    """entries: how many vectors are kept, 0 for none; the least recently used leave first. Safe to
    call from several threads.

    hits, misses: texts asked for since the start, a text that stands twice in one call counting
    twice. Two threads that miss the same text at the same moment both encode it: no lock is held
    while the model runs.

    kept: vectors on disk for the lane in bulk; texts that come by `encode` here are neither looked
    up nor kept there, since users wrote them. alignment: of what comes out; on disk vectors stand
    as the encoder makes them.
    """

    def __init__(
        self,
        encoder: Encoder,
        entries: int,
        kept: KeptVectors | None = None,
        alignment: Alignment | None = None,
    ) -> None:
        self._encoder = encoder
        self._kept = kept
        self._alignment = alignment
        self._vectors: Lru[bytes, Vector] = Lru(entries)
        self._lock = threading.Lock()
        self.hits = 0
        self.misses = 0
        self._asked = 0

    @property
    def dimension(self) -> int:
        return self._encoder.dimension

    @property
    def revision(self) -> str:
        return aligned_revision(self._encoder.revision, self._alignment)

    def encode(self, texts: Sequence[str]) -> Vector:
        """As the encoder behind; a text that stands twice in `texts` is encoded once."""
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        keys = content_keys(texts, self.revision)
        found = self._lookup(keys)
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        if missing:
            with self._lock:
                self._asked += len(missing)
            vectors = self._encoder.encode(list(missing.values()))
            if self._alignment is not None:
                vectors = self._alignment.turned(vectors)
            fresh = dict(zip(missing, vectors, strict=True))
            found |= fresh
            self._keep(fresh)
        return np.stack([found[key] for key in keys])  # (n, d)

    def in_bulk(self, gently: Gently = None) -> CachingEncoder:
        """The same cache in front of the lane for texts that nobody waits for; `hits` and `misses`
        are its own from here on.
        """
        other = copy(self)
        behind = in_bulk(self._encoder, gently)
        other._encoder = KeptEncoder(behind, self._kept) if self._kept is not None else behind  # noqa: SLF001 (a copy of this one)
        return other

    @property
    def sources(self) -> dict[str, int]:
        """Where the vectors of the texts asked for came from, since the start: `encoded`,
        `from_memory` (also a text that stands twice in one call), `from_disk`.
        """
        from_disk = self._encoder.found if isinstance(self._encoder, KeptEncoder) else 0
        with self._lock:
            asked, texts = self._asked, self.hits + self.misses
        return {
            "encoded": asked - from_disk,
            "from_memory": texts - asked,
            "from_disk": from_disk,
        }

    @property
    def busy_seconds(self) -> float:
        """Of the encoder behind: how long the call that it is at has taken."""
        return busy_seconds(self._encoder)

    @property
    def tokens_read(self) -> int:
        """By the encoder behind, in both lanes."""
        return tokens_read(self._encoder)

    def close(self) -> None:
        """Close the encoder behind, where it can be closed, and what is kept on disk."""
        if self._kept is not None:
            self._kept.close()
        if isinstance(self._encoder, _Closable):
            self._encoder.close()

    def _lookup(self, keys: Sequence[bytes]) -> dict[bytes, Vector]:
        with self._lock:
            found = {key: self._vectors[key] for key in keys if key in self._vectors}
            for key in found:
                self._vectors.move_to_end(key)
            hits = sum(key in found for key in keys)
            self.hits += hits
            self.misses += len(keys) - hits
        return found

    def _keep(self, fresh: dict[bytes, Vector]) -> None:
        with self._lock:
            for key, vector in fresh.items():
                self._vectors[key] = (
                    vector.copy()
                )  # a row alone: a view would keep its whole batch in memory


class KeptEncoder:
    """The vectors of `kept` before those of the encoder behind; what that has made is kept.

    found: texts that were not encoded.
    """

    def __init__(self, encoder: Encoder, kept: KeptVectors) -> None:
        self._encoder = encoder
        self._kept = kept
        self.found = 0

    @property
    def dimension(self) -> int:
        return self._encoder.dimension

    @property
    def revision(self) -> str:
        return self._encoder.revision

    def encode(self, texts: Sequence[str]) -> Vector:
        """As the encoder behind."""
        keys = content_keys(texts, self.revision)
        found = self._kept.read(keys)
        self.found += len(found)
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        if missing:
            fresh = dict(zip(missing, self._encoder.encode(list(missing.values())), strict=True))
            self._kept.write(fresh)
            found |= fresh
        return np.stack([found[key] for key in keys])  # (n, d)


def content_keys(texts: Sequence[str], revision: str) -> list[bytes]:
    """16 bytes a text: of what it says and of the revision that reads it."""
    own = blake2b(revision.encode(), digest_size=16).digest()
    return [
        blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16, key=own).digest()
        for text in texts
    ]


def text_sources(encoder: Encoder) -> dict[str, int]:
    """As `CachingEncoder.sources`; empty of an encoder that has no cache."""
    return encoder.sources if isinstance(encoder, CachingEncoder) else {}


def tokens_read(encoder: Encoder) -> int:
    """By the model behind, since the start; 0 of an encoder that has no tokens."""
    return int(getattr(encoder, "tokens_read", 0))
