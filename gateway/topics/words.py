"""Who said what of an item, and why: operators' words on `controls`, as they stand.

What they come to (`banned`, `pinned`, `boost`) is the catalogue's; here is the record of it, as far
back as `controls` is kept. It knows nothing about Kafka.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from upwell.events import Control, ControlKind
from upwell.system.lru import Lru

__all__ = ["MOST_ITEMS", "Word", "Words"]

MOST_ITEMS = 50_000
"""Of which words are remembered: those that were governed last."""


@dataclass(frozen=True, slots=True)
class Word:
    """at: when it was appended, UTC ms."""

    kind: ControlKind
    boost: float | None
    by: str
    why: str
    at: int


class Words:
    """Belongs to one thread."""

    def __init__(self) -> None:
        self._of: Lru[str, dict[ControlKind, Word]] = Lru(MOST_ITEMS)

    def take(self, control: Control, appended_ms: int) -> None:
        """The next word on its item: in place of one of its kind; clearing takes all back."""
        if control.item_id is None or control.override_id is not None:
            return
        if control.kind is ControlKind.CLEAR_ITEM:
            self._of.pop(control.item_id, None)
            return
        word = Word(control.kind, control.boost, control.by, control.why, appended_ms)
        self._of[control.item_id] = {**self._of.get(control.item_id, {}), control.kind: word}

    def of(self, item_id: str) -> Sequence[Word]:
        """That stand, the oldest first; none where the topic does not hold them any more."""
        return sorted(self._of.get(item_id, {}).values(), key=lambda word: word.at)
