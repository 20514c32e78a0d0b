"""A peer that knows nothing of a user falls back on popularity."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.peers.baselines import OrPopular, Scores


class KnowsAnn:
    def score(self, user: str, rows: Sequence[int]) -> Scores:
        return np.array([0.0, 0.0, 1.0], np.float32) if user == "ann" else np.zeros(3, np.float32)

    def learn(self, user: str, rows: Sequence[int], row: int) -> None:
        """Nothing to learn."""


def test_who_is_unknown_gets_what_is_popular() -> None:
    peer = OrPopular(KnowsAnn(), 3)
    for row in (1, 1, 0):
        peer.learn("ben", [], row)
    assert peer.score("ann", []).tolist() == [0.0, 0.0, 1.0]
    assert peer.score("ben", [1, 0]).tolist() == [1.0, 2.0, 0.0]
