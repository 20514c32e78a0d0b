"""Streams of questions as people write them, each with tags that say what is particular: slips of
the keyboard, how near its words are to a question before, Bitext's own tags, another language.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.uses.typos import slipped
from learner.desk.ngrams import words_of

__all__ = [
    "BITEXT",
    "TRANSLATED",
    "Written",
    "as_tagged",
    "in_languages",
    "nearness",
    "with_slips",
]

TRANSLATED = Path(__file__).with_name("translated.csv")
"""Written by hand, by nobody's customers: five questions for each of 16 of banking77's templates,
in German and in Spanish.
"""
BITEXT = {
    "Z": "typos",
    "Q": "colloquial",
    "K": "keywords",
    "P": "polite",
    "W": "offensive",
    "I": "asked as a question",
    "C": "coordinated",
    "N": "negated",
    "M": "other forms of words",
    "E": "abbreviations expanded",
}
"""What the tags of Bitext's customer-support set say; B and L are on nearly all of its questions.
"""
_NEAR = ((0.5, "words alike"), (0.3, "words half alike"), (-1.0, "other words"))

Row = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Written:
    """tags: whose figures it counts among. chosen: whether somebody chooses for it."""

    text: str
    template: str
    tags: tuple[str, ...] = ()
    chosen: bool = True


def with_slips(
    rows: Sequence[Row], share: float, begin: float, rng: np.random.Generator
) -> list[Written]:
    """From the share `begin` of the stream on, so many questions have slips, one or two in turn.
    Tags: how many, and how alike its words, before the slips, are to a question before.
    """
    made, before, turn = [], dict[str, list[set[str]]](), 0
    for place, (text, template) in enumerate(rows):
        slips = 0
        if rng.random() < share and place >= begin * len(rows):
            slips, turn = 1 + turn % 2, turn + 1
        words = set(words_of(text))
        tags = (("no slip", "one slip", "two slips")[slips], nearness(words, before.get(template)))
        before.setdefault(template, []).append(words)
        made.append(Written(slipped(text, slips, rng), template, tags))
    return made


def nearness(words: set[str], before: Sequence[set[str]] | None) -> str:
    """By the words that it shares with the most alike question of its template before: of all words
    of both, a half or more, three in ten or more, fewer.
    """
    best = max((len(words & one) / max(1, len(words | one)) for one in before or ()), default=0.0)
    return next(name for least, name in _NEAR if best >= least)


def as_tagged(path: Path, order: Callable[[int], NDArray[np.int64]]) -> list[Written]:
    """Bitext's questions with their tags. order: of so many rows those that are asked."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [
        Written(
            row["instruction"],
            row["intent"],
            tuple(name for tag, name in BITEXT.items() if tag in row["tags"]),
        )
        for row in (rows[int(place)] for place in order(len(rows)))
    ]


def in_languages(
    rows: Sequence[Row], path: Path, choices: bool, rng: np.random.Generator
) -> list[Written]:
    """From the middle on, each question of the file comes in at a place that is drawn. choices:
    whether anybody chooses for those. Tags: the language, and how many questions of its template in
    its language were chosen for before. Raises `ValueError` where the file names a template that no
    row has.
    """
    with path.open(encoding="utf-8", newline="") as file:
        others = list(csv.DictReader(file))
    unknown = {one["template"] for one in others} - {template for _, template in rows}
    if unknown:
        raise ValueError(f"{path.name} names templates without a question: {sorted(unknown)}")
    others = [others[int(place)] for place in rng.permutation(len(others))]
    middle = (len(rows) + len(others) + 1) // 2
    places = np.sort(rng.integers(min(middle, len(rows)), len(rows) + 1, len(others)))
    made = [Written(text, template, ("English",)) for text, template in rows]
    seen: dict[tuple[str, str], int] = {}
    for number, (place, one) in enumerate(zip(places.tolist(), others, strict=True)):
        kind = (one["language"], one["template"])
        tags: tuple[str, ...] = (one["language"], "another language")
        if choices:
            tags = (*tags, f"after {seen.get(kind, 0)} in its language")
            seen[kind] = seen.get(kind, 0) + 1
        made.insert(place + number, Written(one["text"], one["template"], tags, choices))
    return made
