"""What is asked of the model for nobody in particular, and what it answers with: a port, behind
which the gateway's replica stands (`gateway.topics.model`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from upwell.recommendations import Entry
from upwell.values import CatalogueItem

__all__ = ["Ranked", "Ranks"]


@dataclass(frozen=True, slots=True)
class Ranked:
    """Best first; each entry with its reasons, where its place has any."""

    items: tuple[Entry, ...]
    model_version: str


class Ranks(Protocol):
    """What knows the catalogue and the counts. Called from any thread; may block for milliseconds.

    `similar` raises `Refused` (404) where nobody announced the item. What is banned or deleted
    never comes.
    """

    @property
    def version(self) -> str: ...

    def similar(self, item_id: str, k: int) -> Ranked: ...

    def popular(self, k: int, category: str | None) -> Ranked: ...

    def newest(self, k: int, category: str | None) -> Ranked: ...

    def search(self, words: str, k: int) -> Ranked: ...

    def item(self, item_id: str) -> CatalogueItem | None:
        """As it was announced and governed; None where nobody announced it."""
        ...

    def governed(self) -> Sequence[CatalogueItem]:
        """Those that operators banned, pinned or boosted, or their policy blocks, by id."""
        ...
