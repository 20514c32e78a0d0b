"""What UPWELL_EXPOSURE says: the least share of exposure that groups of items get.

    popularity:tail>=0.2; category:Documentary>=0.05

It knows the words, not which items belong to a group.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from upwell.errors import SettingsError

__all__ = ["BY", "MOST_BOUNDS", "Bound", "exposure_bounds"]

BY: dict[str, tuple[str, ...]] = {
    "popularity": ("head", "mid", "tail"),
    "newness": ("new", "recent", "old"),
    "category": (),
    "brand": (),
}
"""What items are grouped by, and the groups where they are no words of the catalogue."""
APART = ("popularity", "newness", "brand")
"""An item is in one group of these, so that their shares sum to 1 at most."""
MOST_BOUNDS = 8
_BOUND = re.compile(r"\s*(\w+)\s*:\s*(.+?)\s*>=\s*(\d*\.?\d+)\s*", re.ASCII | re.DOTALL)
_RIGHT = "must be as popularity:tail>=0.2, with a semicolon between two"


@dataclass(frozen=True, slots=True)
class Bound:
    """by: one of `BY`. group: of these. least: share of exposure, above 0 and below 1."""

    by: str
    group: str
    least: float

    @property
    def name(self) -> str:
        """As it is told, `popularity:tail`."""
        return f"{self.by}:{self.group}"


def exposure_bounds(text: str | None, where: str = "UPWELL_EXPOSURE") -> tuple[Bound, ...]:
    """The bounds in their order, none where it is unset. Raises `SettingsError` with what would be
    right.
    """
    if text is None:
        return ()
    bounds = tuple(_bound(part, where) for part in text.split(";"))
    if len(bounds) > MOST_BOUNDS:
        raise SettingsError(
            f"{where} has {len(bounds)} bounds: must be at most {MOST_BOUNDS}, those that matter"
        )
    twice = [name for name, count in Counter(one.name for one in bounds).items() if count > 1]
    if twice:
        raise SettingsError(f"{where} bounds {twice[0]} twice: leave one of them out")
    for by in APART:
        total = sum(one.least for one in bounds if one.by == by)
        if total >= 1.0:
            raise SettingsError(
                f"{where} gives {total:g} of the exposure to groups by {by}, of which an item has "
                "one: must sum to less than 1"
            )
    return bounds


def _bound(part: str, where: str) -> Bound:
    found = _BOUND.fullmatch(part)
    if found is None:
        raise SettingsError(f"{where} has {part.strip()!r}: {_RIGHT}")
    by, group, least = found[1], found[2], float(found[3])
    if by not in BY:
        raise SettingsError(f"{where} groups by {by!r}: must be one of {', '.join(BY)}")
    if BY[by] and group not in BY[by]:
        raise SettingsError(f"{where} has {by}:{group}: must be one of {', '.join(BY[by])}")
    if not 0.0 < least < 1.0:
        raise SettingsError(
            f"{where} gives {found[3]} to {by}:{group}: must be above 0 and below 1, a share"
        )
    return Bound(by, group, least)
