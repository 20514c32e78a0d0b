"""Texts of which somebody said what they are, and a classifier of them."""

from __future__ import annotations

from functools import cache
from random import Random

from stream.chain.policy.classifier import Model
from stream.chain.policy.training import Example, learn

BAD = ("darn", "heck", "fool", "blast", "drat", "crud")
FINE = ("a", "quiet", "film", "about", "river", "garden", "two", "friends", "winter", "train")


def examples(harmful: int = 200, harmless: int = 800, seed: int = 3) -> list[Example]:
    """All different; of the harmful each has one bad word."""
    random = Random(seed)
    found: dict[str, Example] = {}
    while len(found) < harmful + harmless:
        said = random.choices(FINE, k=random.randrange(4, 9))
        bad = len(found) < harmful
        if bad:
            said.insert(random.randrange(len(said)), random.choice(BAD))
        found.setdefault(" ".join(said), Example(" ".join(said), bad))
    return list(found.values())


@cache
def model(name: str = "abuse") -> Model:
    return learn(examples(), name, 0.01, 7)[0]
