"""A rule as every process needs it: which items lists leave out, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from upwell.knowledge.records import Knowledge

__all__ = ["Rule", "month_of"]

_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)


def month_of(ts: int) -> int:
    """1 to 12, of UTC ms; no ts is too large."""
    try:
        return (_BEGIN + timedelta(milliseconds=ts)).month
    except OverflowError:  # after the year 9999, as clocks of logs may be
        return 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """On items of `category`, else of `value` in `relation`. months, within: as in `Knowledge`."""

    rule_id: str
    category: str | None = None
    relation: str | None = None
    value: str | None = None
    months: tuple[int, ...] = ()
    within: str | None = None

    @classmethod
    def of(cls, known: Knowledge) -> Rule:
        """Of a record that is a rule and takes nothing back."""
        return cls(
            rule_id=known.rule_id or "",
            category=known.category,
            relation=known.relation,
            value=known.value,
            months=tuple(sorted(set(known.months))),
            within=known.within,
        )

    def holds(self, at: int | None, category: str | None) -> bool:
        """Whether it holds for a list that is made `at` a time (UTC ms, None where none is known)
        and asked for within a `category`.
        """
        if self.within is not None and self.within != category:
            return False
        return not self.months or (at is not None and month_of(at) in self.months)
