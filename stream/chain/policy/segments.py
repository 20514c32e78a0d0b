"""Lists for users of a segment, without what the policy hides from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from stream.chain.overrides.tags import segments_of
from stream.chain.policy.policy import Policy
from upwell.ports import Ranker, RankRequest
from upwell.recommendations import Entry
from upwell.values import CatalogueItem

__all__ = ["SegmentRanker"]


class SegmentRanker:
    """A port's `Ranker` over another one: what a user's segments hide is left out as what a request
    excludes. Not thread-safe: one thread owns it.
    """

    def __init__(self, ranker: Ranker, policy: Policy) -> None:
        self._ranker = ranker
        self._policy = policy
        names = {name for hidden in policy.segments.values() for name in hidden}
        self._items: dict[str, set[str]] = {name: set() for name in names}

    def know(self, items: Iterable[CatalogueItem]) -> None:
        """Items as they are now, in place of those with the same id."""
        for item in items if self._items else ():
            under = self._policy.hidden(item)
            for name, held in self._items.items():
                (held.add if name in under else held.discard)(item.item_id)

    @property
    def version(self) -> str:
        return self._ranker.version

    def rank(self, requests: Sequence[RankRequest]) -> list[tuple[Entry, ...]]:
        return self._ranker.rank([self._without_hidden(one) for one in requests])

    def _without_hidden(self, request: RankRequest) -> RankRequest:
        if not self._items:
            return request
        hidden: set[str] = set()
        for segment in segments_of(request.state):
            for name in self._policy.segments.get(segment, ()):
                hidden |= self._items[name]
        return replace(request, exclude=(*request.exclude, *hidden)) if hidden else request
