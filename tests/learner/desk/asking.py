"""Questions of made-up topics, whose vectors are near their topic's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from learner.desk.desk import Desk, Template

DIMENSION = 16
TARGET = 0.9


def vector(topic: int, seed: int = 0, noise: float = 0.15) -> NDArray[np.float32]:
    """Of length 1, about the topic's, of which those of 0 to 15 have nothing in common."""
    noised = noise * np.random.default_rng([topic, seed]).normal(size=DIMENSION)
    mixed = np.eye(DIMENSION)[topic % DIMENSION] + noised
    return np.asarray(mixed / np.linalg.norm(mixed), np.float32)


def template(topic: int, *examples: str) -> Template:
    return Template(f"t{topic}", f"title {topic}", f"text {topic}", examples)


def desk(topics: Sequence[int], target: float = TARGET) -> Desk:
    """One with a template a topic, and nothing learned."""
    made = Desk(DIMENSION, target)
    for topic in topics:
        made.put(template(topic), vector(topic), np.zeros((0, DIMENSION), np.float32))
    return made


def teach(made: Desk, topics: Sequence[int], first: int = 0) -> None:
    """A question of each of these topics, and its choice."""
    for seed, topic in enumerate(topics, start=first):
        made.ask(f"q{seed}", f"word{topic} number{seed}", "ann", vector(topic, seed))
        assert made.choose(f"q{seed}", f"t{topic}") is None
