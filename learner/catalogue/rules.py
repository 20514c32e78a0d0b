"""Rules over the catalogue: which items a list leaves out, at its time and within its category.

It knows nothing about users or weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.catalogue import Catalogue
from upwell.knowledge import Rule

__all__ = ["Occasion", "RuleTable"]

Occasion = tuple[str | None, int | None]
"""Of a list: the category that is asked for, and when, UTC ms; None where there is none."""


class RuleTable:
    """Owns the rules. Rows of those that were asked for are kept until `stale`: after items were
    announced.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._rules: dict[str, Rule] = {}
        self._rows: dict[str, NDArray[np.int32]] = {}

    @property
    def rules(self) -> Mapping[str, Rule]:
        """By id. From any thread: what is told later is another mapping."""
        return self._rules

    def put(self, told: Mapping[str, Rule | None]) -> None:
        """Takes in rules, in place of those of the same id; None takes one back."""
        if told:
            after = sorted({**self._rules, **told}.items())
            self._rules = {name: rule for name, rule in after if rule is not None}
            self.stale()

    def stale(self) -> None:
        """Categories or values are others now."""
        self._rows.clear()

    def masks(self, occasions: Sequence[Occasion]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """(m, capacity) what may stand in lists, and (b,) which of these holds for each of b."""
        if not self._rules and not any(category for category, _ in occasions):
            return self._catalogue.allowed[None], np.zeros(len(occasions), np.int64)
        keys = [(category, self._holding((category, at))) for category, at in occasions]
        places = {key: place for place, key in enumerate(dict.fromkeys(keys))}
        masks = np.stack([self._mask(category, held) for category, held in places])
        return masks, np.array([places[key] for key in keys], np.int64)

    def allowed(self, occasion: Occasion) -> NDArray[np.bool_]:
        """(capacity,) the same of one."""
        [mask], _ = self.masks([occasion])
        found: NDArray[np.bool_] = mask
        return found

    def _holding(self, occasion: Occasion) -> tuple[str, ...]:
        """Ids, in their order."""
        category, at = occasion
        return tuple(name for name, rule in self._rules.items() if rule.holds(at, category))

    def _mask(self, category: str | None, held: Sequence[str]) -> NDArray[np.bool_]:
        own = self._catalogue
        mask = own.allowed.copy() if category is None else own.in_category(category)
        for name in held:
            mask[self._rows_of(name)] = False
        return mask

    def _rows_of(self, name: str) -> NDArray[np.int32]:
        if name not in self._rows:
            rule = self._rules[name]
            if rule.category is not None:
                self._rows[name] = self._catalogue.of_category(rule.category)
            else:
                self._rows[name] = self._catalogue.relations.rows_with(
                    rule.relation or "", rule.value or ""
                )
        return self._rows[name]
