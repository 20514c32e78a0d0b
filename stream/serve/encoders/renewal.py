"""Items whose vectors are of an encoder that is not in force any more, until all are made anew: a
few at a time, between the announcements, as fast as the ranking takes them in.

What is to be done follows from what was published (`catalogue`), so a worker that died goes on
where it was. It knows nothing about Faust.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from stream.chain.publish import Outgoing
from stream.chain.wire import encode_item
from upwell.events import Topic
from upwell.values import CatalogueItem

__all__ = ["AT_ONCE", "Renewal"]

AT_ONCE = 16
LOOKED_AT = 256
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
        self._waiting: dict[str, None] = {}
        self._lock = threading.Lock()
        self.owns: Callable[[str], bool | None] = lambda _: None
        self.renewed = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, item_ids: Iterable[str]) -> None:
        """To be made anew. From any thread."""
        more = dict.fromkeys(item_ids)
        with self._lock:
            self._waiting |= more

    def step(self) -> list[Outgoing]:
        """A few entries, written and to be published; none where there is nothing to do now. On
        the items' thread, in turn with its batches and what they publish.
        """
        if not self._waiting or self._untaken() >= MOST_UNTAKEN:
            return []
        wanted = self._next()
        items = self._renew(wanted) if wanted else []
        self.renewed += len(items)
        return [Outgoing(Topic.CATALOGUE, one.item_id.encode(), encode_item(one)) for one in items]

    def _next(self) -> list[str]:
        """This worker's own; those of others are theirs to do."""
        found: list[str] = []
        with self._lock:
            for item_id in list(islice(self._waiting, LOOKED_AT)):
                own = self.owns(item_id)
                if own is None or len(found) == AT_ONCE:
                    break
                del self._waiting[item_id]
                if own:
                    found.append(item_id)
        return found
