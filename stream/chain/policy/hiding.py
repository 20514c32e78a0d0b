"""Lists without what the policy hides from a user's segments, or where the list is shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from stream.chain.overrides.tags import segments_of
from stream.chain.policy.policy import Policy
from upwell.ports import Ranker, RankRequest
from upwell.recommendations import Entry
from upwell.values import CatalogueItem

__all__ = ["HidingRanker"]


class HidingRanker:
    """A port's `Ranker` over another one: what is hidden is left out as what a request excludes.
    Not thread-safe: one thread owns it.
    """

    def __init__(self, ranker: Ranker, policy: Policy) -> None:
        self._ranker = ranker
        self._policy = policy
        self._items: dict[str, set[str]] = {name: set() for name in policy.hiding}

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
        names = self._policy.hidden_from(segments_of(request.state), request.surface)
        hidden = set[str]().union(*(self._items[name] for name in names))
        return replace(request, exclude=(*request.exclude, *hidden)) if hidden else request
