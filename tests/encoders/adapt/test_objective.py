from __future__ import annotations

import numpy as np
import pytest
import torch

from encoders.adapt.objective import IGNORED, info_nce, masked, moved_words, watched_words

NONE = np.zeros((3, 3), bool)


def unit(*rows: list[float]) -> torch.Tensor:
    return torch.nn.functional.normalize(torch.tensor(rows), dim=1)


def test_info_nce_is_the_mean_of_both_ways() -> None:
    anchors = unit([1.0, 0.2], [0.1, 1.0], [1.0, 1.0])
    positives = unit([0.9, 0.1], [0.3, 1.0], [1.0, 0.7])
    scores = (anchors @ positives.T).numpy().astype(np.float64) / 0.1
    weights = np.exp(scores)
    there = -np.log(np.diag(weights) / weights.sum(axis=1)).mean()
    back = -np.log(np.diag(weights) / weights.sum(axis=0)).mean()
    loss = info_nce(anchors, positives, (NONE, NONE), 0.1)
    assert float(loss) == pytest.approx((there + back) / 2, rel=1e-5)


def test_a_false_negative_has_no_part_in_the_loss() -> None:
    anchors = unit([1.0, 0.0], [0.0, 1.0], [0.6, 0.8])
    positives = unit([1.0, 0.0], [0.2, 1.0], [1.0, 0.1])
    others = ~np.eye(3, dtype=bool)
    assert float(info_nce(anchors, positives, (others, others), 0.1)) == 0.0
    one = NONE.copy()
    one[0, 2] = True
    free = info_nce(anchors, positives, (NONE, NONE), 0.1)
    assert float(info_nce(anchors, positives, (one, NONE), 0.1)) < float(free)


def test_words_are_hidden_and_nothing_else() -> None:
    ids = np.full((40, 50), 7)
    ids[:, 0], ids[:, -5:] = 101, 0
    shown, labels = masked(ids, [0, 101, 103], 103, 1_000, np.random.default_rng(1))
    hidden = labels != IGNORED
    assert not hidden[:, 0].any()
    assert not hidden[:, -5:].any()
    assert (labels[hidden] == 7).all()
    assert (shown[~hidden] == ids[~hidden]).all()
    words = hidden[:, 1:-5]
    assert 0.12 < words.mean() < 0.18
    assert 0.75 < (shown[hidden] == 103).mean() < 0.85
    assert 0.05 < (shown[hidden] == 7).mean() < 0.15


def test_words_are_moved_along_their_gradient_by_the_size_that_is_asked_for() -> None:
    words = torch.nn.Embedding(10, 4)
    words.weight.requires_grad_(False)  # as where adapters are trained
    ids = torch.tensor([[1, 2], [3, 4]])
    plain = words(ids)
    with watched_words(words) as seen:
        (words(ids)[0] ** 2).sum().backward()
    with moved_words(words, seen[0], 0.5):
        moved = words(ids) - plain
    assert float(moved[0].norm()) == pytest.approx(0.5, rel=1e-5)
    torch.testing.assert_close(moved[0] / 0.5, plain[0] / plain[0].norm())
    assert float(moved[1].norm()) == 0.0  # no loss, no direction
    torch.testing.assert_close(words(ids), plain)
