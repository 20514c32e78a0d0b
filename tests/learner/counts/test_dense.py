"""What a signal says of one item: read from all scores, or made of the parts of one."""

from __future__ import annotations

import numpy as np
import pytest

from learner.counts.dense import FUSED, INTENT, Dense, empty_dense, is_large, read_dense


def read(dense: Dense, which: int, user: int, items: list[int]) -> list[float]:
    out = np.full(len(items), np.nan, np.float32)
    read_dense(dense, which, user, np.array(items, np.int32), out)
    return [float(value) for value in out]


def test_scores_of_all_items_are_read() -> None:
    scores = np.arange(12, dtype=np.float32).reshape(2, 2, 3)
    dense = empty_dense()._replace(scores=scores)
    assert not is_large(dense)
    assert read(dense, FUSED, 1, [2, 0, 1]) == [11.0, 9.0, 10.0]


@pytest.mark.parametrize("events", [0.0, 5.0])
def test_a_score_is_made_of_text_identity_and_events(events: float) -> None:
    draw = np.random.default_rng(1)
    queries, texts, own, identities = (
        draw.normal(size=shape).astype(np.float32) for shape in ((2, 1, 4), (3, 4), (1, 3), (3, 3))
    )
    dense = empty_dense()._replace(
        queries=queries,
        texts=texts,
        own=own,
        identities=identities,
        events=np.array([0.0, events, 0.0], np.float32),
        trust=np.array([5.0, 0.25], np.float32),
    )
    assert is_large(dense)
    assert read(dense, INTENT, 0, [1])[0] == pytest.approx(queries[0, 0] @ texts[1], abs=1e-6)
    identity = events / (events + 5.0) * float(own[0] @ identities[1])
    expected = float(queries[1, 0] @ texts[1]) + identity + 0.25 * np.log1p(events)
    assert read(dense, FUSED, 0, [1])[0] == pytest.approx(expected, abs=1e-6)
