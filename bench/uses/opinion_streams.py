"""Streams of posts for the bench of the watch: as they are, in any order, and with a surge."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from learner.watch.alerts import Alert
from learner.watch.options import Options
from learner.watch.post import Post
from learner.watch.watch import Told, Watch

__all__ = ["Stream", "agreement", "alarms", "found", "topics_of"]

DAY_MS = 86_400_000
START_MS = 1_764_547_200_000
AFTER = 1_500
"""Posts from the beginning of a surge on."""


@dataclass(frozen=True, slots=True)
class Stream:
    """vectors: (n, D). day: so many posts are one. sentiments: labels, where there are."""

    texts: Sequence[str]
    kinds: Sequence[str]
    vectors: NDArray[np.float32]
    day: int
    sentiments: Sequence[float] = ()

    def read(self, watch: Watch, order: Sequence[int]) -> Iterator[Told]:
        """Each post by an author of its own, at even distances."""
        for number, place in enumerate(order):
            ts = START_MS + number * DAY_MS // self.day
            label = self.sentiments[place] if self.sentiments else None
            post = Post(str(number), self.texts[place], f"u{number}", ts, label)
            yield watch.read(post, self.vectors[place])

    def watch(self, asked: float = 1.0) -> Watch:
        return Watch(self.vectors.shape[1], Options(false_alarms=asked))


def agreement(right: Sequence[str], told: Sequence[int]) -> dict[str, Any]:
    """Of the second half: what is in no topic (0) is one of its own for `nmi` and `ari`."""
    half = slice(len(told) // 2, None)
    there, mine = right[half], told[half]
    return {
        "topics": len(set(mine) - {0}),
        "nmi": round(float(normalized_mutual_info_score(there, mine)), 4),
        "ari": round(float(adjusted_rand_score(there, mine)), 4),
        "in_one": round(float(np.mean([one != 0 for one in mine])), 4),
    }


def topics_of(stream: Stream, order: NDArray[np.int64]) -> dict[str, Any]:
    """How well the watch's topics are the kinds."""
    began = time.perf_counter()
    told = [one.topic or 0 for one in stream.read(stream.watch(), order.tolist())]
    ms = 1e3 * (time.perf_counter() - began) / len(order)
    return {**agreement([stream.kinds[one] for one in order], told), "ms": round(ms, 2)}


def alarms(stream: Stream, asked: float, permutations: int, seed: int) -> dict[str, Any]:
    """What is told of orders in which nothing changes."""
    seen = 0
    for permutation in range(permutations):
        order = np.random.default_rng([seed, permutation]).permutation(len(stream.texts))
        for told in stream.read(stream.watch(asked), order.tolist()):
            seen += len(told.alerts)
    days = permutations * len(stream.texts) / stream.day
    return {"asked": asked, "days": round(days, 2), "seen": seen, "a_day": round(seen / days, 3)}


def surged(
    stream: Stream, kind: str, usual: float, share: float, first: int, seed: int
) -> tuple[list[int], int]:
    """An order, and where its surge begins: `usual` of the kind's posts are spread over those
    before, the others are `share` of all from there on.
    """
    random = np.random.default_rng([seed, *kind.encode()])
    places = random.permutation(len(stream.texts))
    own = [int(one) for one in places if stream.kinds[one] == kind]
    others = [int(one) for one in places if stream.kinds[one] != kind]
    early = own[: int(usual * len(own))]
    before = [int(one) for one in random.permutation([*others[:first], *early])]
    rest, late = iter(others[first:]), iter(own[len(early) :])
    after: list[int] = []
    while len(after) < AFTER:
        chosen = next(late if random.random() < share else rest, None)
        if chosen is None:
            break
        after.append(chosen)
    return before + after, len(before)


def found(
    stream: Stream, kind: str, usual: float, share: float, first: int, seed: int
) -> dict[str, Any]:
    """After how many posts a surge was told, and after how many of its own; `false`: alerts before
    it, and later ones most of whose posts are not of the kind.
    """
    order, begins = surged(stream, kind, usual, share, first, seed)
    posts, false = None, 0
    for number, told in enumerate(stream.read(stream.watch(), order)):
        for alert in told.alerts:
            if number >= begins and _about(stream, order, alert) == kind:
                posts = number - begins + 1 if posts is None else posts
            else:
                false += 1
    of_kind = None
    if posts is not None:
        of_kind = sum(stream.kinds[one] == kind for one in order[begins : begins + posts])
    days = len(order) / stream.day
    return {"posts": posts, "of_kind": of_kind, "false": false, "days": days}


def _about(stream: Stream, order: Sequence[int], alert: Alert) -> str:
    """The kind of most of the posts that are shown."""
    kinds = [stream.kinds[order[int(one.post_id)]] for one in alert.posts]
    return max(sorted(set(kinds)), key=kinds.count, default="")
