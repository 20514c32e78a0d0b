"""The value of another policy on a log of shown lists: impressions with propensities, and what
users did after them.

A shown item earns 1 where its user clicks, buys or likes it, or rates it with 4 or more, within
`window_ms` of the impression; of several impressions of the item the newest earns it. It knows
nothing about how a policy chooses, nor about estimators.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from learner.testing.off_policy import Estimate, Places, Valued, mean, value
from stream.chain.validate import decode
from stream.replay.log import BadLine, LogRecord
from stream.replay.policies import Policy
from upwell.events import Action, Click, Event, Impression, Review
from upwell.recommendations import DeadLetter

__all__ = ["Evaluation", "evaluate_log"]

FOREVER_MS = 1 << 53
EARNING = frozenset({Action.CLICK, Action.PURCHASE, Action.LIKE})
EARNING_RATING = 4.0
PRIOR_SHOWN = 10.0
BY_LOT = 0.5


@dataclass(slots=True)
class _Shown:
    """An impression with what came of it, place by place."""

    impression: Impression
    propensities: tuple[float, ...]
    target: tuple[str, ...]
    predicted: list[float]
    expected: list[float]
    rewards: list[float]


class _RewardModel:
    """An item's rewards a showing so far, drawn to those of the place while it was seldom shown."""

    def __init__(self) -> None:
        self._shown: Counter[str | int] = Counter()
        self._earned: Counter[str | int] = Counter()

    def predict(self, item_id: str, place: int) -> float:
        rate = self._earned[place] / max(1, self._shown[place])
        return (self._earned[item_id] + PRIOR_SHOWN * rate) / (self._shown[item_id] + PRIOR_SHOWN)

    def show(self, item_ids: Iterable[str]) -> None:
        for place, item_id in enumerate(item_ids):
            self._shown.update((item_id, place))

    def earn(self, item_id: str, place: int) -> None:
        self._earned.update((item_id, place))


@dataclass(slots=True)
class _Ledger:
    """The impressions of a log in its order, and who earned what."""

    window_ms: int
    shown: list[_Shown] = field(default_factory=list)
    model: _RewardModel = field(default_factory=_RewardModel)
    _seen: set[str] = field(default_factory=set)
    _open: dict[str, list[_Shown]] = field(default_factory=lambda: defaultdict(list))

    def add(self, impression: Impression, target: tuple[str, ...]) -> None:
        assert impression.propensities is not None
        places = range(len(impression.item_ids))
        predicted = [self.model.predict(impression.item_ids[place], place) for place in places]
        expected = [
            self.model.predict(target[place], place) if place < len(target) else 0.0
            for place in places
        ]
        one = _Shown(
            impression, impression.propensities, target, predicted, expected, [0.0] * len(places)
        )
        self.shown.append(one)
        self.model.show(impression.item_ids)
        still = [
            past
            for past in self._open[impression.user_id]
            if impression.ts - past.impression.ts <= self.window_ms
        ]
        self._open[impression.user_id] = [*still, one]

    def is_new(self, impression: Impression) -> bool:
        """False for an app's retry of an impression that was seen."""
        new = impression.event_id not in self._seen
        self._seen.add(impression.event_id)
        return new

    def credit(self, event: Click | Review) -> None:
        list_id = event.list_id if isinstance(event, Click) else None
        for one in reversed(self._open.get(event.user_id, ())):
            impression = one.impression
            in_time = 0 <= event.ts - impression.ts <= self.window_ms
            if (
                in_time
                and event.item_id in impression.item_ids
                and list_id in (None, impression.list_id)
            ):
                place = impression.item_ids.index(event.item_id)
                if not one.rewards[place]:
                    one.rewards[place] = 1.0
                    self.model.earn(event.item_id, place)
                return

    def places(self) -> Places:
        users: dict[str, int] = {}
        flat = [
            (
                users.setdefault(one.impression.user_id, len(users)),
                one.rewards[place],
                one.propensities[place],
                float(one.target[place : place + 1] == (item_id,)),
                one.predicted[place],
                one.expected[place],
            )
            for one in self.shown
            for place, item_id in enumerate(one.impression.item_ids)
        ]
        table = np.array(flat, np.float64).reshape(-1, 6)  # (n, 6)
        return Places(table[:, 0].astype(np.int64), *(table[:, column] for column in range(1, 6)))


@dataclass(frozen=True, slots=True)
class Evaluation:
    """counts: impressions, users, rewards, without_propensities, retries, bad_lines, dead_letters.

    by_lot, otherwise: what places earned whose item came with a propensity below one half, and
    those of one half to below one: of Upwell's own lists the explored places, and the same places
    of lists where no lot fell.
    """

    valued: Valued
    counts: dict[str, int]
    by_lot: Estimate | None
    otherwise: Estimate | None


def evaluate_log(
    lines: Iterable[LogRecord | BadLine], policy: Policy, window_ms: int
) -> Evaluation:
    """One pass over the log, in its order: what the policy would show is asked before the
    impression and all that follows is seen.
    """
    ledger, counts = _Ledger(window_ms), Counter[str]()
    for line in lines:
        if isinstance(line, BadLine):
            counts["bad_lines"] += 1
            continue
        event = decode(line.topic, 0, line.line, line.value, FOREVER_MS)
        if isinstance(event, DeadLetter):
            counts["dead_letters"] += 1
        else:
            _take(ledger, policy, event, counts)
            policy.see(line, event)
    places = ledger.places()
    counts["impressions"], counts["users"] = len(ledger.shown), len(np.unique(places.user))
    counts["rewards"] = int(places.reward.sum())
    return Evaluation(value(places), dict(counts), *_lots(places))


def _take(ledger: _Ledger, policy: Policy, event: Event, counts: Counter[str]) -> None:
    if isinstance(event, Impression):
        if not ledger.is_new(event):
            counts["retries"] += 1
        elif event.propensities is None:
            counts["without_propensities"] += 1
        else:
            ledger.add(event, policy.items_for(event))
    elif isinstance(event, Click | Review) and _earns(event):
        ledger.credit(event)


def _earns(event: Click | Review) -> bool:
    if isinstance(event, Click):
        return event.action in EARNING
    return event.rating is not None and event.rating >= EARNING_RATING


def _lots(places: Places) -> tuple[Estimate | None, Estimate | None]:
    by_lot = places.propensity < BY_LOT
    otherwise = ~by_lot & (places.propensity < 1.0)
    return mean(places.user[by_lot], places.reward[by_lot]), mean(
        places.user[otherwise], places.reward[otherwise]
    )
