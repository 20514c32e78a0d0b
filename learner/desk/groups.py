"""Questions that no template fits, and those among them that are alike: what a new template would
answer.

A group begins with enough different questions that are near each other and in none; whatever comes
near its centre joins. It is offered when it begins and each time it has doubled.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import log

import numpy as np
from numpy.typing import NDArray

from learner.desk.ngrams import words_of

__all__ = ["BEGINS", "Group", "Groups", "Offer", "Unfit"]

BEGINS = 5
"""Different questions make a group."""
_KEPT = 500  # questions without a group, and members of a group that are remembered
_SHOWN = 5
_NAME_WORDS = 3


@dataclass(frozen=True, slots=True)
class Unfit:
    """A question that no template fits. by: the pseudonym of who asked."""

    question_id: str
    text: str
    by: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A group as people see it: a name of the words that tell it from other questions, how many
    different questions, and those nearest to its centre.
    """

    group: int
    name: str
    size: int
    examples: tuple[str, ...]


@dataclass(slots=True)
class Group:
    """number: never given again. vectors: (n, D) of its members. size: different questions that
    ever joined. offered: its size when it was last offered.
    """

    number: int
    members: list[Unfit]
    vectors: NDArray[np.float32]
    size: int
    offered: int = 0

    @property
    def centre(self) -> NDArray[np.float32]:
        """(D,), of length 1."""
        mean = self.vectors.mean(axis=0)
        return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), np.float32)


@dataclass(slots=True)
class Groups:
    """waiting, vectors: questions in no group, oldest first, (n, D). words: of how many questions a
    word was, of `asked`.
    """

    vectors: NDArray[np.float32]
    waiting: list[Unfit] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    words: Counter[str] = field(default_factory=Counter)
    asked: int = 0
    last: int = 0

    def heard(self, text: str) -> None:
        """A question, whatever becomes of it: what is usual tells what a name is."""
        self.words.update(set(words_of(text)))
        self.asked += 1
        if len(self.words) > 50_000:
            self.words = Counter({one: count for one, count in self.words.items() if count > 1})

    def add(self, unfit: Unfit, vector: NDArray[np.float32], near: float) -> Offer | None:
        """A group that is to be offered now, because of this question. near: the cosine from which
        two questions are alike.
        """
        group = self._joined(unfit, vector, near) or self._begun(unfit, vector, near)
        if group is None or group.size < max(BEGINS, 2 * group.offered):
            return None
        group.offered = group.size
        return self.offer(group)

    def offer(self, group: Group) -> Offer:
        """As it is now."""
        nearest = np.argsort(-(group.vectors @ group.centre), kind="stable")[:_SHOWN]
        examples = tuple(group.members[place].text for place in nearest)
        return Offer(group.number, self._name(group), group.size, examples)

    def unfit(self) -> Iterator[Unfit]:
        """All that are kept."""
        yield from self.waiting
        for group in self.groups:
            yield from group.members

    def rename(self, before: str, by: str) -> None:
        """Who asked as `before` is `by`."""

        def renamed(some: list[Unfit]) -> list[Unfit]:
            return [replace(one, by=by) if one.by == before else one for one in some]

        self.waiting = renamed(self.waiting)
        for group in self.groups:
            group.members = renamed(group.members)

    def remove(self, gone: Callable[[Unfit], bool]) -> int:
        """Forgets those; how many there were. A group that has none left is no more."""
        keep = [place for place, one in enumerate(self.waiting) if not gone(one)]
        removed = len(self.waiting) - len(keep)
        self._wait([self.waiting[place] for place in keep], self.vectors[keep])
        for group in self.groups:
            kept = [place for place, one in enumerate(group.members) if not gone(one)]
            removed += len(group.members) - len(kept)
            group.members = [group.members[place] for place in kept]
            group.vectors = group.vectors[kept]
        self.groups = [group for group in self.groups if group.members]
        return removed

    def answered(self, vectors: NDArray[np.float32], near: float) -> None:
        """A new template has these questions, (n, D): groups about them are no more."""
        self.groups = [
            group
            for group in self.groups
            if not len(vectors) or float(np.max(vectors @ group.centre)) < near
        ]

    def _joined(self, unfit: Unfit, vector: NDArray[np.float32], near: float) -> Group | None:
        if not self.groups:
            return None
        likeness = [float(group.centre @ vector) for group in self.groups]
        best = int(np.argmax(likeness))
        if likeness[best] < near:
            return None
        group = self.groups[best]
        if not _repeats(unfit, group.members):
            group.members = [*group.members, unfit][-_KEPT:]
            group.vectors = np.concatenate([group.vectors, vector[None]])[-_KEPT:]
            group.size += 1
        return group

    def _begun(self, unfit: Unfit, vector: NDArray[np.float32], near: float) -> Group | None:
        if _repeats(unfit, self.waiting):
            return None
        alike = np.flatnonzero(self.vectors @ vector >= near)
        if len(alike) + 1 < BEGINS:
            waiting = [*self.waiting, unfit][-_KEPT:]
            self._wait(waiting, np.concatenate([self.vectors, vector[None]])[-_KEPT:])
            return None
        self.last += 1
        members = [*(self.waiting[place] for place in alike), unfit]
        vectors = np.concatenate([self.vectors[alike], vector[None]])
        group = Group(self.last, members, vectors, len(members))
        self.groups.append(group)
        rest = np.setdiff1d(np.arange(len(self.waiting)), alike)
        self._wait([self.waiting[place] for place in rest], self.vectors[rest])
        return group

    def _wait(self, waiting: list[Unfit], vectors: NDArray[np.float32]) -> None:
        self.waiting, self.vectors = waiting, vectors

    def _name(self, group: Group) -> str:
        found = Counter(word for one in group.members for word in set(words_of(one.text)))
        shared = {word: count for word, count in found.items() if 3 * count >= len(group.members)}
        return " ".join(_telling(shared or found, self.words, self.asked)[:_NAME_WORDS])


def _telling(found: Mapping[str, int], usual: Mapping[str, int], asked: int) -> list[str]:
    """Words by how much oftener they are here than usual, best first; those half as telling as the
    best, or more.
    """
    worth = {
        word: count * log((asked + 1) / (usual.get(word, 0) + 1)) for word, count in found.items()
    }
    best = max(worth.values(), default=0.0)
    return sorted(
        (word for word in worth if 2 * worth[word] >= best),
        key=lambda word: (-worth[word], word),
    )


def _repeats(unfit: Unfit, others: Iterable[Unfit]) -> bool:
    """The same words again, by whomever."""
    own = words_of(unfit.text)
    return any(words_of(one.text) == own for one in others)
