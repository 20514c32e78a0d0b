"""What a topic is called, which posts speak for it, and when two texts are the same."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from math import log

import numpy as np
from numpy.typing import NDArray

from learner.desk.ngrams import words_of
from learner.watch.rows import Row

__all__ = ["COPY", "named", "normalized", "told_apart", "typical"]

COPY = 0.97
"""Texts whose vectors are so near say the same."""
_NAME_WORDS = 3
_SHOWN = 5
_ADDRESSED = re.compile(r"(https?://|www\.|@)\S*|\d+", re.IGNORECASE)


def normalized(text: str) -> str:
    """Its words without links, names that are addressed, and digits: what copies have in common."""
    return " ".join(words_of(_ADDRESSED.sub(" ", text)))


def named(text: str) -> frozenset[str]:
    """The words that a name may be made of."""
    return frozenset(word for word in normalized(text).split() if len(word) > 1)


def told_apart(rows: Iterable[Row], only: int = 0) -> dict[int, str]:
    """A name of each topic among these rows: words of two posts at least that are rare elsewhere,
    by class-based tf-idf, each word once a text. only: the number of the one that is asked for.
    """
    usual: Counter[str] = Counter()
    here: dict[int, Counter[str]] = {}
    topics = set()
    for row in rows:
        topics.add(row.topic)
        usual.update(row.words)
        if only in (0, row.topic):
            here.setdefault(row.topic, Counter()).update(row.words)
    mean = sum(usual.values()) / max(1, len(topics))
    return {
        topic: " ".join(_best(counts, usual, mean)[:_NAME_WORDS]) for topic, counts in here.items()
    }


def typical(
    rows: Sequence[Row], vectors: NDArray[np.float32], centre: NDArray[np.float32]
) -> tuple[Row, ...]:
    """Five at most, nearest to the centre first; none of the same author, none that repeats."""
    chosen: list[int] = []
    for place in np.argsort(-(vectors @ centre), kind="stable"):
        row = rows[int(place)]
        new = all(
            (not row.by or row.by != rows[one].by)
            and normalized(row.text) != normalized(rows[one].text)
            and float(vectors[one] @ vectors[place]) < COPY
            for one in chosen
        )
        if new:
            chosen.append(int(place))
        if len(chosen) == _SHOWN:
            break
    return tuple(rows[one] for one in chosen)


def _best(counts: Counter[str], usual: Counter[str], mean: float) -> list[str]:
    worth = {
        word: count * log(1.0 + mean / usual[word]) for word, count in counts.items() if count > 1
    }
    return sorted(worth, key=lambda word: (-worth[word], word))
