"""Items whose vectors are of an encoder that is not in force any more, until all are made anew: a
few at a time, between the announcements, as fast as the ranking takes them in.

What is to be done follows from what was published (`catalogue`), so a worker that died goes on
where it was. It knows nothing about Faust.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence

from stream.chain.publish import Outgoing
from stream.chain.wire import encode_item
from upwell.events import Topic
from upwell.values import CatalogueItem

__all__ = ["AT_ONCE", "Renewal"]

AT_ONCE = 32
MOST_UNTAKEN = 128
"""Entries that may wait to be taken in before more are made: lists go before them."""


class Renewal:
    """renew: as `ItemPipeline.renew`. owns: whether an item's announcements are this worker's;
    None while that is not known. untaken: entries that were published and are not ranked by yet.
    """

    def __init__(
        self,
        renew: Callable[[Sequence[str]], Sequence[CatalogueItem]],
        untaken: Callable[[], int],
    ) -> None:
        self._renew = renew
        self._untaken = untaken
        self._waiting: deque[str] = deque()
        self.owns: Callable[[str], bool | None] = lambda _: None
        self.renewed = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, item_ids: Iterable[str]) -> None:
        """To be made anew. From any thread."""
        self._waiting.extend(item_ids)

    def step(self) -> list[Outgoing]:
        """A few entries, written and to be published; none where there is nothing to do now. On
        the items' thread, in turn with its batches and what they publish.
        """
        if not self._waiting or self._untaken() >= MOST_UNTAKEN:
            return []
        wanted: dict[str, None] = {}
        while self._waiting and len(wanted) < AT_ONCE:
            if (own := self.owns(self._waiting[0])) is None:
                break
            item_id = self._waiting.popleft()
            if own:
                wanted[item_id] = None
        items = self._renew(list(wanted)) if wanted else []
        self.renewed += len(items)
        return [Outgoing(Topic.CATALOGUE, one.item_id.encode(), encode_item(one)) for one in items]
