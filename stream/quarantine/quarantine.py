"""What the learner may learn of a stream of examples now, and what waits.

A newcomer's like of an item that newcomers like in a burst is held, and what the user does next
teaches nothing of that item either. It is released once the user has the usual past, or once a
person says so; after some days without either it is dropped. It knows nothing about Kafka.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from stream.quarantine.detector import ALARM, SUSPECT, Detector
from stream.quarantine.held import Held, HeldExamples, released
from upwell.values import Example

__all__ = ["Group", "Quarantine"]

DAY_MS = 86_400_000
SWEEP_MS = 60_000


@dataclass(frozen=True, slots=True)
class Group:
    """Of an item that newcomers liked in a burst. users, examples: that are held for it now. sum:
    the highest that the detector's sum was. since, at: of the first alarm and of this, UTC ms.
    """

    item_id: str
    users: int
    examples: int
    sum: float
    since: int
    at: int


class Quarantine:
    """One thread owns it. strictness: of `SUSPECT`. days: after which what is held is dropped.
    watermark: per source the last offset that was taken in before it.

    counts: examples by what became of them since the process began: held, released, dropped.
    """

    def __init__(self, strictness: str, days: float, watermark: Mapping[str, int]) -> None:
        self._suspect = SUSPECT[strictness]
        self._keep_ms = days * DAY_MS
        self._watermark = dict(watermark)
        self._detector = Detector()
        self._held = HeldExamples()
        self._serial = 0
        self._trusted: frozenset[str] = frozenset()
        self._refused: frozenset[str] = frozenset()
        self._alarms: dict[str, tuple[float, int]] = {}  # the highest sum, since
        self._changed: set[str] = set()
        self._swept_ms = 0
        self.counts: Counter[str] = Counter(held=0, released=0, dropped=0)

    def __len__(self) -> int:
        """Examples that are held."""
        return len(self._held)

    @property
    def items(self) -> int:
        """With an alarm, for which something is held."""
        return len(self._alarms)

    @property
    def alarmed(self) -> frozenset[str]:
        """The items with an alarm."""
        return frozenset(self._alarms)

    def sift(self, examples: Sequence[Example], now_ms: int) -> list[Example]:
        """What is to be learned now, in this order; an example that comes again comes to nothing
        again.
        """
        self._sweep(now_ms)
        return [one for example in examples for one in self._sifted(example, now_ms)]

    def decide(self, trusted: Iterable[str], refused: Iterable[str]) -> list[Example]:
        """People's decisions as they stand: items for which nothing is held any more, and those for
        which what is held is dropped. Gives what is released by them.
        """
        self._trusted, self._refused = frozenset(trusted), frozenset(refused)
        if self._held.holds(self._refused):
            self._drop(self._held.take(lambda one: one.item_id in self._refused))
        if not self._held.holds(self._trusted):
            return []
        return list(self._release(self._held.take(lambda one: one.item_id in self._trusted)))

    def forget(self, user: str) -> int:
        """How many examples of a user (pseudonym) were held, and are no more."""
        gone = self._held.take(lambda _: True, user)
        self._changed.update(one.item_id for one in gone)
        return len(gone)

    def changes(self, now_ms: int) -> dict[str, Group | None]:
        """Of each item with an alarm whose group changed since the last call, the group as it is;
        None where nothing is held any more.
        """
        found: dict[str, Group | None] = {}
        for item_id in sorted(self._changed & self._alarms.keys()):
            examples, users = self._held.of_item(item_id)
            highest, since = self._alarms[item_id]
            if examples:
                found[item_id] = Group(item_id, users, examples, round(highest, 1), since, now_ms)
            else:
                found[item_id] = None
                del self._alarms[item_id]
        self._changed.clear()
        return found

    def suspects(self) -> list[Held]:
        """What is held for items with an alarm: what a person would look at."""
        return [one for one in self._held if one.item_id in self._alarms]

    def _sifted(self, example: Example, now_ms: int) -> Iterator[Example]:
        item_id = example.event.item_id
        if example.offset <= self._watermark.get(example.source, -1) or item_id is None:
            return
        self._watermark[example.source] = example.offset
        newcomer = self._detector.newcomer(example.user_events)
        if not newcomer:
            yield from self._release(self._held.take(lambda _: True, example.user))
        if not self._waits(example, item_id, newcomer, now_ms):
            silent = self._held.items(example.user) | (self._refused if newcomer else set())
            yield _without(example, silent)
        elif item_id in self._refused:
            self.counts["dropped"] += 1
        else:
            self._hold(Held(item_id, now_ms, example))

    def _waits(self, example: Example, item_id: str, newcomer: bool, now_ms: int) -> bool:
        new = all(one.item_id != item_id for one in example.history)
        if example.event.liked and new:
            total = self._detector.see(item_id, newcomer)
        else:
            total = self._detector.sum_of(item_id)
        if not newcomer or item_id in self._trusted:
            return False
        if example.event.liked and total >= ALARM:
            self._alarm(item_id, total, now_ms)
        suspect = example.event.liked and total >= self._suspect
        return suspect or item_id in self._held.items(example.user)

    def _alarm(self, item_id: str, total: float, now_ms: int) -> None:
        highest, since = self._alarms.get(item_id, (0.0, now_ms))
        self._alarms[item_id] = max(highest, total), since
        self._changed.add(item_id)

    def _hold(self, one: Held) -> None:
        before = self._held.dropped
        self._held.add(one)
        self._changed.add(one.item_id)
        self.counts["held"] += 1
        self.counts["dropped"] += self._held.dropped - before

    def _release(self, some: Iterable[Held]) -> Iterator[Example]:
        for one in some:
            self._serial += 1
            self.counts["released"] += 1
            self._changed.add(one.item_id)
            yield released(one, self._serial)

    def _drop(self, some: Sequence[Held]) -> None:
        self.counts["dropped"] += len(some)
        self._changed.update(one.item_id for one in some)

    def _sweep(self, now_ms: int) -> None:
        if now_ms - self._swept_ms < SWEEP_MS:
            return
        self._swept_ms = now_ms
        self._drop(self._held.take(lambda one: now_ms - one.at_ms > self._keep_ms))

    def state(self) -> dict[str, Any]:
        """All that is to survive a restart; `stream.quarantine.state` makes bytes of it."""
        return {
            "watermark": dict(self._watermark),
            "detector": self._detector.state(),
            "serial": self._serial,
            "alarms": self._alarms,
            "held": list(self._held),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """The inverse."""
        self._watermark = dict(state["watermark"])
        self._detector.restore(state["detector"])
        self._serial = int(state["serial"])
        self._alarms = {name: (float(one[0]), int(one[1])) for name, one in state["alarms"].items()}
        self._held = HeldExamples()
        for one in state["held"]:
            self._held.add(one)
        self._changed = {*self._alarms}


def _without(example: Example, items: Collection[str]) -> Example:
    """It says nothing of these: what comes behind a push would teach it too."""
    if not items:
        return example
    history = tuple(one for one in example.history if one.item_id not in items)
    return replace(example, history=history)
