"""A history cut by time: what is trained on, what decides when to stop, what tells how good it is.

The targets are those of the protocol (`bench/prequential.py`), each with what its user did before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stream.replay.adaptation.history import Act, History
from upwell.errors import LogError

__all__ = ["LAST_LIKES", "SLICES", "Stretches", "Target", "cut", "held_out_scene"]

SLICES = ("all", "cold_user", "cold_item", "warm", "new_item")
COLD_EVENTS = 2
LAST_LIKES = 3


@dataclass(frozen=True, slots=True)
class Target:
    """An item that a user liked and had not had before. likes: rows of the last `LAST_LIKES` items
    that they liked before, had: of all that they had. slices: that it belongs to.
    """

    row: int
    likes: tuple[int, ...]
    had: tuple[int, ...]
    slices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stretches:
    """training: acts. validation, test: targets. until: UTC ms, what the test is on came after."""

    training: Sequence[Act]
    validation: Sequence[Target]
    test: Sequence[Target]
    until: int


def cut(
    history: History,
    most: int,
    seed: int,
    shares: tuple[float, float] = (0.6, 0.2),
    new_scene: frozenset[int] = frozenset(),
) -> Stretches:
    """The first share of the acts to train on, the next to validate, the rest to test; what
    happened in one moment stays together.

    most: targets of a stretch; of more than that so many are drawn with `seed`. new_scene: rows of
    items whose targets are a slice of their own. Raises `LogError` where a stretch is empty.
    """
    acts = history.acts
    first = acts[min(int(len(acts) * shares[0]), len(acts) - 1)].ts
    second = acts[min(int(len(acts) * sum(shares)), len(acts) - 1)].ts
    training = [act for act in acts if act.ts < first]
    known = {act.row for act in training}
    validation: list[Target] = []
    test: list[Target] = []
    walk = _Walk()
    for act in acts:
        if act.ts >= first and (target := walk.target(act, known, new_scene)) is not None:
            (validation if act.ts < second else test).append(target)
        walk.see(act)
    if not training or not validation or not test:
        raise LogError("the log is too short, or all of one moment: it cannot be cut in three")
    rng = np.random.default_rng(seed)
    drawn = _drawn(validation, most, rng), _drawn(test, most, rng)
    return Stretches(training, *drawn, second - 1)


def held_out_scene(history: History) -> tuple[frozenset[int], frozenset[int]]:
    """Rows that training may not see, and those of them whose targets are the new scene.

    Every other category, by how many items have it, is held out: an item with any such one is not
    trained on, an item with no other belongs to the new scene. Raises `LogError` where there are
    fewer than two categories.
    """
    counts: dict[str, int] = defaultdict(int)
    for categories in history.categories:
        for one in categories:
            counts[one] += 1
    held = set(sorted(counts, key=lambda name: (-counts[name], name))[1::2])
    if not held:
        raise LogError("the items have fewer than two categories: there is no other scene")
    rows = list(enumerate(history.categories))
    untrained = frozenset(row for row, own in rows if held.intersection(own))
    return untrained, frozenset(row for row in untrained if held.issuperset(rows[row][1]))


class _Walk:
    """What users had and items got so far, act by act."""

    def __init__(self) -> None:
        self._had: dict[str, dict[int, None]] = defaultdict(dict)
        self._likes: dict[str, list[int]] = defaultdict(list)
        self._user_events: dict[str, int] = defaultdict(int)
        self._item_events: dict[int, int] = defaultdict(int)

    def target(self, act: Act, known: set[int | None], new_scene: frozenset[int]) -> Target | None:
        """The target that the act is, with the state before it."""
        had = self._had[act.user]
        if act.row is None or not act.liked or act.row in had:
            return None
        likes = tuple(self._likes[act.user][-LAST_LIKES:])
        return Target(act.row, likes, tuple(had), self._slices(act.user, act.row, known, new_scene))

    def see(self, act: Act) -> None:
        """Take it in; the newest word on an item counts."""
        if act.row is None:
            return
        likes = self._likes[act.user]
        if act.row in likes:
            likes.remove(act.row)
        if act.liked:
            likes.append(act.row)
        self._had[act.user][act.row] = None
        self._user_events[act.user] += 1
        self._item_events[act.row] += 1

    def _slices(
        self, user: str, row: int, known: set[int | None], new_scene: frozenset[int]
    ) -> tuple[str, ...]:
        cold = ["cold_user"] * (self._user_events[user] <= COLD_EVENTS)
        cold += ["cold_item"] * (self._item_events[row] <= COLD_EVENTS)
        new = ["new_item"] * (row not in known) + ["new_scene"] * (row in new_scene)
        return ("all", *(cold or ["warm"]), *new)


def _drawn(targets: list[Target], most: int, rng: np.random.Generator) -> list[Target]:
    if len(targets) <= most:
        return targets
    return [targets[place] for place in sorted(rng.choice(len(targets), most, replace=False))]
