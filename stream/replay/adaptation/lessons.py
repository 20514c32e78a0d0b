"""What a stretch of a history teaches about texts, as pairs: two items that one user liked near
each other, a search and what was chosen soon after, a review and its item.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence, Set
from itertools import islice

from encoders.adapt import Pair
from stream.replay.adaptation.history import Act, History

__all__ = ["NEAR_LIKES", "SOON_MS", "lessons"]

NEAR_LIKES = 3
"""How many likes after one still count as near it."""
SOON_MS = 10 * 60_000
"""How long after a search an item still counts as chosen by it."""


def lessons(
    history: History, acts: Sequence[Act], left_out: Set[int] = frozenset()
) -> dict[str, list[Pair]]:
    """The pairs of these acts, by kind: `likes`, `searches`, `reviews`.

    left_out: rows of items that no pair may have.
    """
    of_users: dict[str, list[Act]] = defaultdict(list)
    for act in acts:
        if act.row not in left_out:
            of_users[act.user].append(act)
    pairs: dict[str, list[Pair]] = {"likes": [], "searches": [], "reviews": []}
    for own in of_users.values():
        for kind, pair in _of_user(history.texts, own):
            if pair.anchor and pair.positive and pair.anchor != pair.positive:
                pairs[kind].append(pair)
    return pairs


def _of_user(texts: Sequence[str], acts: Sequence[Act]) -> Iterator[tuple[str, Pair]]:
    likes = list(dict.fromkeys(act.row for act in acts if act.liked and act.row is not None))
    liked = frozenset(texts[row] for row in likes)
    for place, row in enumerate(likes):
        for other in islice(likes, place + 1, place + 1 + NEAR_LIKES):
            yield "likes", Pair(texts[row], texts[other], liked)
    search: Act | None = None
    for act in acts:
        if act.row is None:
            search = act
        elif search is not None and search.text and act.liked:
            if act.ts - search.ts <= SOON_MS:
                yield "searches", Pair(search.text, texts[act.row], liked)
            search = None
        if act.row is not None and act.text:
            yield "reviews", Pair(act.text, texts[act.row], liked)
