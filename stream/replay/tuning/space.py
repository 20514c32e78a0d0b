"""Which settings are searched, and where: numbers that decide what is learned, not what it costs to
serve. It knows nothing of how they are searched.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from upwell.settings import LearnerSettings, Settings, all_settings

__all__ = ["SEARCHED", "Range", "Values", "applied", "rounded", "space", "tuned_base", "values_of"]

Values = Mapping[str, int | float]
"""Settings of the learner by name."""
DIGITS = 3


@dataclass(frozen=True, slots=True)
class Range:
    """A setting of the learner and its ends, both included; searched evenly by its logarithm."""

    name: str
    low: int | float
    high: int | float

    @property
    def key(self) -> str:
        """As in upwell.toml."""
        return f"learner.{self.name}"

    @property
    def variable(self) -> str:
        """Of the environment."""
        return next(one.variable for one in all_settings() if one.key == self.key)


SEARCHED = (
    Range("neighbours", 32, 1_024),
    Range("cold_item_weight", 0.5, 5.0),
    Range("candidates", 10, 100),
    Range("intent_half_life_days", 0.1, 365.0),
    Range("fused_every", 64, 1_024),
    Range("fused_steps", 1, 8),
)
OF_THE_FUSED_MODEL = frozenset({"fused_every", "fused_steps"})


def space(base: LearnerSettings, searched: Sequence[Range] = SEARCHED) -> tuple[Range, ...]:
    """Ranges that have the values of `base` within, those of the fused model only where it is
    on.
    """
    return tuple(_ranges(base, searched))


def _ranges(base: LearnerSettings, searched: Sequence[Range]) -> Iterator[Range]:
    for one in searched:
        held = getattr(base, one.name)
        if held > 0 and (base.fused or one.name not in OF_THE_FUSED_MODEL):
            yield replace(one, low=min(one.low, held), high=max(one.high, held))


def values_of(base: LearnerSettings, ranges: Sequence[Range]) -> Values:
    """Those that hold."""
    return {one.name: getattr(base, one.name) for one in ranges}


def applied(settings: Settings, values: Values) -> Settings:
    """The settings with these."""
    changed: dict[str, Any] = {**values}
    return replace(settings, learner=replace(settings.learner, **changed))


def tuned_base(settings: Settings) -> Settings:
    """The settings as they are tuned: every target is tested, and no place goes by lot."""
    learner = replace(settings.learner, test_sample=1.0, explore=0.0, warmup_examples=0)
    return replace(settings, learner=learner)


def rounded(value: float) -> float:
    """To three digits: what is measured is what is written."""
    return round(value, DIGITS - 1 - math.floor(math.log10(abs(value)))) if value else 0.0
