"""Peers that label texts learn an example at a time."""

from __future__ import annotations

import numpy as np
import pytest

from stream.replay.recipes.labels import Nearest, Regression
from upwell.values import Vector


def vector(kind: int, number: int) -> Vector:
    rng = np.random.default_rng((kind, number))
    found = 0.2 * rng.normal(size=8)
    found[kind] += 1.0
    return np.asarray(found / np.linalg.norm(found), np.float32)


@pytest.mark.parametrize("kind", [Nearest, Regression])
def test_what_was_learned_is_told_first(kind: type[Nearest] | type[Regression]) -> None:
    peer = kind()
    assert peer.ask(vector(0, 0)) == []
    for number in range(20):
        for label in range(4):
            peer.learn(vector(label, number), f"label {label}")
    for label in range(4):
        told = peer.ask(vector(label, 100))
        assert told[0] == f"label {label}"
        assert len(set(told)) == 3
