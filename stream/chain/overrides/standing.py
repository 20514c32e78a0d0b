"""The overrides in force as one process sees them, and what they come to for a list.

It knows nothing about Kafka: what stands of an override_id in, requests to the ranker out. One
thread owns it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from stream.chain.effects import Erasure
from stream.chain.overrides.ledger import Kept
from stream.chain.overrides.override import Override, stronger
from stream.chain.overrides.tags import segments_of
from upwell.controls import OF_QUARANTINE
from upwell.events import Decision
from upwell.ports import RankRequest

__all__ = ["Standing"]

_Of = dict[str, dict[str, Override]]


class Standing:
    """By override_id; looked up by whom they are for."""

    def __init__(self) -> None:
        self._in_force: dict[str, Override] = {}
        self._everyone: dict[str, Override] = {}
        self._queries: dict[str, Override] = {}
        self._users: _Of = defaultdict(dict)
        self._segments: _Of = defaultdict(dict)
        self.kept: dict[str, Kept] = {}

    def __len__(self) -> int:
        return len(self._in_force)

    def put(self, override_id: str, kept: Kept | None) -> None:
        """What stands of an override_id now, in place of what stood."""
        before = self._in_force.pop(override_id, None)
        if before is not None:
            self._place(before).pop(override_id, None)
            for of, name in ((self._users, before.user), (self._segments, before.segment)):
                if name is not None and not of[name]:
                    del of[name]
        if kept is None:
            self.kept.pop(override_id, None)
            return
        self.kept[override_id] = kept
        if kept.standing is not None and kept.standing.decision not in OF_QUARANTINE:
            self._in_force[override_id] = kept.standing
            self._place(kept.standing)[override_id] = kept.standing

    def naming(self, erasures: Iterable[Erasure]) -> tuple[tuple[str, Erasure], ...]:
        """The override_ids, in force or waiting, that name one who is to be forgotten."""
        wanted = {one.user: one for one in erasures}
        if not wanted:
            return ()
        return tuple(
            (override_id, wanted[user])
            for override_id, kept in self.kept.items()
            for user in {one.user for one in (kept.standing, kept.waiting) if one is not None}
            if user in wanted
        )

    def decisions(
        self, user: str, segments: Collection[str], words: str | None, at_ms: int
    ) -> Mapping[str, Override]:
        """Of each item on which some override covers such a list, the one that holds."""
        found: dict[str, Override] = {}
        for one in self._candidates(user, segments, words):
            if one.decision is not Decision.KEEP and one.covers(user, segments, words, at_ms):
                found[one.item_id] = stronger(one, found.get(one.item_id, one))
        return found

    def over(self, request: RankRequest, at_ms: int) -> RankRequest:
        """The request with what people decided for it at this time, UTC ms."""
        if not self._in_force:
            return request
        segments = segments_of(request.state)
        found = self.decisions(request.state.user, segments, request.words, at_ms)
        if not found:
            return request
        pinned = tuple(sorted(_of(found, Decision.PIN)))
        boosted = {one: found[one].added for one in _of(found, Decision.BOOST, Decision.DEMOTE)}
        exclude = (*request.exclude, *_of(found, Decision.BAN))
        return replace(request, exclude=exclude, pinned=pinned, boosted=boosted)

    def _candidates(
        self, user: str, segments: Collection[str], words: str | None
    ) -> Iterator[Override]:
        yield from self._everyone.values()
        if user in self._users:
            yield from self._users[user].values()
        for segment in segments:
            if segment in self._segments:
                yield from self._segments[segment].values()
        if words is not None:
            yield from self._queries.values()

    def _place(self, one: Override) -> dict[str, Override]:
        if one.user is not None:
            return self._users[one.user]
        if one.segment is not None:
            return self._segments[one.segment]
        return self._everyone if one.query is None else self._queries


def _of(found: Mapping[str, Override], *decisions: Decision) -> list[str]:
    return [item_id for item_id, one in found.items() if one.decision in decisions]
