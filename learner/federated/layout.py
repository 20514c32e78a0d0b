"""Which items the server and all clients mean by which place: the union of their catalogues.

An id whose text differs between clients is one item in one catalogue and another one in the other:
what most of those who came together say holds, and a client that says otherwise keeps that item to
itself. A place never changes. It knows nothing about counts or weights.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

__all__ = ["Layout", "text_digest"]

_DIGITS = 16


@dataclass(frozen=True)
class Layout:
    """ids: by place. digests: of their texts, by place."""

    ids: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {item_id: place for place, item_id in enumerate(self.ids)}

    def extended(self, catalogues: Sequence[Mapping[str, str]]) -> Layout:
        """With the items (id → digest of its text) of clients that come together, in the order of
        their ids: the same whoever of them came first. Of two texts that equally many bring, the
        smaller digest holds.
        """
        said: dict[str, Counter[str]] = {}
        for catalogue in catalogues:
            for item_id, digest in catalogue.items():
                if item_id not in self._places:
                    said.setdefault(item_id, Counter())[digest] += 1
        fresh = sorted(said)
        most = (min(said[one].items(), key=lambda of: (-of[1], of[0]))[0] for one in fresh)
        return Layout(self.ids + tuple(fresh), self.digests + tuple(most))

    def of(self, catalogue: Mapping[str, str]) -> tuple[dict[str, int], list[str]]:
        """Of one client's items: id → place of those that are shared, and the ids whose text is
        another one here, which are not.
        """
        shared, disputed = {}, []
        for item_id, digest in catalogue.items():
            place = self._places.get(item_id)
            if place is None:
                continue
            if self.digests[place] == digest:
                shared[item_id] = place
            else:
                disputed.append(item_id)
        return shared, disputed


def text_digest(text: str) -> str:
    """16 hex digits."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
