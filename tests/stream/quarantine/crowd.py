"""A crowd for the quarantine's tests: people with a past, honest newcomers, and profiles that push
an item.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from upwell.values import Example, Interaction

PUSHED = "pushed"


class Crowd:
    """Makes examples as serve would. source: of the next ones."""

    def __init__(self, seed: int = 7, source: str = "reviews-0") -> None:
        self.rng = np.random.default_rng(seed)
        self.source = source
        self._offsets: Counter[str] = Counter()
        self._past: dict[str, list[Interaction]] = {}

    def like(self, user: str, item_id: str, rating: float = 5.0) -> Example:
        """The user's next event."""
        past = self._past.setdefault(user, [])
        offset = self._offsets[self.source]
        self._offsets[self.source] += 1
        event = Interaction(
            f"e{self.source}{offset}", offset, item_id, "review", rating, self.source, offset
        )
        example = Example(
            source=self.source,
            offset=offset,
            user=user,
            event=event,
            history=tuple(past[-50:]),
            intent=None,
            user_events=len(past),
            tested=False,
        )
        past.append(event)
        return example

    def people(self, count: int, events: int = 40) -> list[Example]:
        """So many users, one behind the other, who like what is popular the more."""
        start = len(self._past)
        return [
            self.like(f"u{start + number}", f"i{int(200 * self.rng.random() ** 2)}")
            for number in range(count)
            for _ in range(events)
        ]

    def profiles(self, count: int, first: bool = False) -> list[Example]:
        """So many fake ones: five items by lot, and the pushed one."""
        made = []
        start = len(self._past)
        for number in range(start, start + count):
            items = [f"i{int(one)}" for one in self.rng.permutation(200)[:5]]
            items = [PUSHED, *items] if first else [*items, PUSHED]
            made += [self.like(f"fake{number}", one) for one in items]
        return made
