"""One override as it stands: a decision on an item, for whom, from when until when, by whom, why.

It knows nothing about records or lists.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from typing import Any

from stream.chain.overrides.words import is_like, words_of
from upwell.events import Decision, Match

__all__ = ["Override", "stronger"]

_STRENGTH = {Decision.BAN: 2, Decision.PIN: 1, Decision.REFUSE: 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """user: a pseudonym. from_ts, until_ts: it holds from the first and before the second, UTC ms,
    None without a limit. at: when the broker appended it, UTC ms. event_id: of its record.
    """

    override_id: str
    item_id: str
    decision: Decision
    by: str
    why: str
    event_id: str
    at: int
    user: str | None = None
    segment: str | None = None
    query: str | None = None
    match: Match = Match.CONTAINS
    boost: float | None = None
    from_ts: int | None = None
    until_ts: int | None = None
    priority: int = 0

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Override:
        """Of JSON's types, as `values` gives them; other names are left out."""
        known = {one.name: values[one.name] for one in fields(cls) if one.name in values}
        known["decision"] = Decision(known["decision"])
        if "match" in known:
            known["match"] = Match(known["match"])
        return cls(**known)

    def values(self) -> dict[str, Any]:
        """As JSON's types, without what is left out: `of` of it gives the override again."""
        named = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: one for name, one in named.items() if one is not None}

    @property
    def added(self) -> float:
        """To the item's score."""
        amount = self.boost or 0.0
        return -amount if self.decision is Decision.DEMOTE else amount

    def covers(self, user: str, segments: Collection[str], words: str | None, at_ms: int) -> bool:
        """Whether a list of this user, in these segments, which answers these words (None: none),
        at this time (UTC ms), is one that it is for.
        """
        if not (self.from_ts or 0) <= at_ms or (
            self.until_ts is not None and at_ms >= self.until_ts
        ):
            return False
        if self.user is not None:
            return user == self.user
        if self.segment is not None:
            return self.segment in segments
        if self.query is not None:
            return words is not None and is_like(words_of(words), words_of(self.query), self.match)
        return True


def stronger(one: Override, other: Override) -> Override:
    """Of two on the same item which one holds: of the higher priority, then ban over pin over boost
    and demote, then the newer, then the greater id.
    """
    return max(one, other, key=_rank)


def _rank(one: Override) -> tuple[int, int, int, str]:
    return one.priority, _STRENGTH.get(one.decision, 0), one.at, one.override_id
