"""What UPWELL_OBJECTIVES says: how much each thing that may follow a click weighs beside the click.

    purchase=2, dwell=0.5, return=1

It knows the words, not how often what follows does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from upwell.errors import SettingsError

__all__ = ["CLICK", "MOST_WEIGHT", "OBJECTIVES", "objective_weights"]

OBJECTIVES = ("purchase", "dwell", "return")
"""What may follow a click on an item."""
CLICK = "click"
MOST_WEIGHT = 100.0
_WEIGHT = re.compile(r"\s*(\w+)\s*=\s*(\d+\.?\d*|\.\d+)\s*", re.ASCII)
_RIGHT = "must be as purchase=2, with a comma between two"


@cache
def objective_weights(
    text: str | None, where: str = "UPWELL_OBJECTIVES"
) -> Mapping[str, float] | None:
    """The weight of a click (1 where none is given) and of each of `OBJECTIVES`; None where it is
    unset. Raises `SettingsError` with what would be right.
    """
    if text is None:
        return None
    given: dict[str, float] = {}
    for part in text.split(","):
        name, weight = _weight(part, where)
        if name in given:
            raise SettingsError(f"{where} weighs {name} twice: leave one of them out")
        given[name] = weight
    if not any(given.get(name) for name in OBJECTIVES):
        raise SettingsError(
            f"{where} is {text!r}: must weigh one of {', '.join(OBJECTIVES)} above 0, or be unset"
        )
    return MappingProxyType(
        {CLICK: given.get(CLICK, 1.0)} | {name: given.get(name, 0.0) for name in OBJECTIVES}
    )


def _weight(part: str, where: str) -> tuple[str, float]:
    found = _WEIGHT.fullmatch(part)
    if found is None:
        raise SettingsError(f"{where} has {part.strip()!r}: {_RIGHT}")
    name, weight = found[1], float(found[2])
    if name not in (CLICK, *OBJECTIVES):
        known = ", ".join((CLICK, *OBJECTIVES))
        raise SettingsError(f"{where} weighs {name!r}: must be one of {known}")
    if weight > MOST_WEIGHT:
        raise SettingsError(
            f"{where} gives {found[2]} to {name}: must be between 0 and {MOST_WEIGHT:g}"
        )
    return name, weight
