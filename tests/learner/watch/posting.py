"""Posts of made-up topics, whose vectors are near their topic's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from learner.watch.options import Options
from learner.watch.post import Post
from learner.watch.watch import Told, Watch

DIMENSION = 32
MINUTE = 60_000
START = 1_764_547_200_000
SMALL = Options(window_ms=2_000 * MINUTE, sample=1_024, recent=256, topics=20)


def vector(topic: int, seed: int, noise: float = 0.1) -> NDArray[np.float32]:
    """Of length 1, about the topic's, of which those of 0 to 31 have nothing in common."""
    noised = noise * np.random.default_rng([topic, seed]).normal(size=DIMENSION)
    mixed = np.eye(DIMENSION)[topic % DIMENSION] + noised
    return np.asarray(mixed / np.linalg.norm(mixed), np.float32)


def post(topic: int, seed: int, minute: int | None = None, mood: float | None = None) -> Post:
    """The seed's own author and words, at its minute."""
    words = f"about{_letters(topic)} word{_letters(seed)}"
    at = START + (seed if minute is None else minute) * MINUTE
    return Post(f"p{seed}", words, f"u{seed}", at, mood)


def write(made: Watch, topics: Sequence[int], first: int = 0) -> list[Told]:
    """A post a minute of each of these topics."""
    return [
        made.read(post(topic, seed), vector(topic, seed))
        for seed, topic in enumerate(topics, start=first)
    ]


def drawn(seed: int, count: int, topics: int = 10) -> list[int]:
    """Of each topic alike often, by lot."""
    return [int(one) for one in np.random.default_rng(seed).integers(0, topics, count)]


def _letters(seed: int) -> str:
    """A word of its own: digits would be no part of a text."""
    return "".join(chr(ord("a") + int(one)) for one in str(seed))
