"""Items for whoever has no user id: similar ones, popular ones, new ones. What is asked of the
model, and what it answers with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from upwell.recommendations import Entry

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

    def similar(self, item_id: str, k: int) -> Ranked: ...

    def popular(self, k: int, category: str | None) -> Ranked: ...

    def newest(self, k: int, category: str | None) -> Ranked: ...
