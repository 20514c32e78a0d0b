"""Losses against values computed by hand, by finite differences, or by the full sum that they
estimate.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from learner.training import losses
from learner.training.negatives import NegativeSampler


def test_cross_entropy_by_hand() -> None:
    users, targets = torch.tensor([[1.0, 0.0]]), torch.tensor([[2.0, 5.0]])
    negatives = torch.tensor([[0.0, 1.0], [1.0, 1.0]])
    logits = losses.corrected_logits(
        users,
        targets,
        negatives,
        torch.log(torch.tensor([0.5, 1.0])),
        torch.zeros(1, 2, dtype=torch.bool),
    )
    expected = -math.log(math.exp(2) / (math.exp(2) + math.exp(0) / 0.5 + math.exp(1)))
    assert losses.softmax_cross_entropy(logits, torch.ones(1)).item() == pytest.approx(
        expected, rel=1e-6
    )


def test_a_collision_does_not_count() -> None:
    users, targets, negatives = torch.ones(1, 2), torch.ones(1, 2), torch.ones(3, 2)
    collisions = torch.tensor([[True, True, True]])
    logits = losses.corrected_logits(users, targets, negatives, torch.zeros(3), collisions)
    assert losses.softmax_cross_entropy(logits, torch.ones(1)).item() == 0.0


def test_weights_are_shares() -> None:
    logits = torch.tensor([[0.0, 1.0], [0.0, -1.0]])
    first = losses.softmax_cross_entropy(logits[:1], torch.ones(1))
    weighed = losses.softmax_cross_entropy(logits, torch.tensor([5.0, 0.0]))
    assert weighed.item() == pytest.approx(first.item())
    assert losses.softmax_cross_entropy(logits, torch.zeros(2)).item() == 0.0


def test_gradients_by_finite_differences() -> None:
    generator = torch.Generator().manual_seed(1)
    draw = [
        torch.randn(*shape, generator=generator, dtype=torch.float64, requires_grad=True)
        for shape in ((3, 4), (3, 4), (5, 4))
    ]
    collisions = torch.zeros(3, 5, dtype=torch.bool)
    collisions[0, 2] = True

    def main(users: Tensor, targets: Tensor, negatives: Tensor) -> Tensor:
        logits = losses.corrected_logits(
            users, targets, negatives, torch.full((5,), -0.3, dtype=torch.float64), collisions
        )
        return losses.softmax_cross_entropy(
            logits, torch.tensor([1.0, 2.0, 0.5], dtype=torch.float64)
        )

    assert torch.autograd.gradcheck(main, tuple(draw))
    assert torch.autograd.gradcheck(lambda a, b: losses.info_nce(a, b, 0.5), (draw[0], draw[1]))
    calm = torch.log_softmax(draw[0].detach(), dim=1)
    assert torch.autograd.gradcheck(lambda moved: losses.divergence(calm, moved), (draw[1],))


def test_the_log_q_correction_estimates_the_sum_over_all_items() -> None:
    """With few draws from many items, the mean of Σ exp(s)/π over draws is Σ exp(s) over all but
    the target.
    """
    rng = np.random.default_rng(2)
    items, target = 60, 7
    scores = rng.normal(size=items)
    counts = rng.integers(0, 30, size=items).astype(np.float32)
    sampler = NegativeSampler(np.ones(items, np.bool_), counts)
    totals = []
    for _ in range(4_000):
        drawn = sampler.draw(np.zeros(0, np.int64), uniform=12, popular=12, rng=rng)
        kept = drawn.rows != target
        totals.append(np.exp(scores[drawn.rows] - drawn.log_inclusion)[kept].sum())
    everything = np.exp(np.delete(scores, target)).sum()
    assert np.mean(totals) == pytest.approx(everything, rel=0.03)


def test_fgsm_is_the_steepest_step_of_its_length() -> None:
    embeddings = torch.tensor([[1.0, 2.0], [0.5, -1.0], [3.0, 3.0]], requires_grad=True)
    slopes = torch.tensor([[3.0, 4.0], [0.0, -2.0], [0.0, 0.0]])
    step = losses.fgsm((embeddings * slopes).sum(), embeddings, epsilon=0.5)
    assert torch.allclose(step, torch.tensor([[0.3, 0.4], [0.0, -0.5], [0.0, 0.0]]))


def test_vat_moves_more_than_a_random_step() -> None:
    weights = torch.tensor([[4.0, 0.0], [0.0, 0.1]])
    embeddings = torch.zeros(1, 2, requires_grad=True)
    generator = torch.Generator().manual_seed(3)
    worst = losses.vat(lambda moved: moved @ weights, embeddings, 0.5, generator)
    calm = torch.log_softmax(torch.zeros(1, 2), dim=1)
    others = [
        losses.divergence(calm, 0.5 * torch.tensor([[math.cos(t), math.sin(t)]]) @ weights).item()
        for t in np.linspace(0, 2 * np.pi, 30)
    ]
    assert worst.item() == pytest.approx(max(others), rel=0.05)
    assert worst.item() > np.mean(others)


def test_vat_is_zero_where_nothing_moves_and_ignores_masked_columns() -> None:
    masked = torch.tensor([[0.0, -math.inf, 1.0]])
    found = losses.vat(
        lambda moved: masked + 0.0 * moved.sum(),
        torch.zeros(2, 3, requires_grad=True),
        0.5,
        torch.Generator().manual_seed(1),
    )
    assert found.item() == 0.0


def test_info_nce_by_hand() -> None:
    same = torch.eye(2)
    right = losses.info_nce(same, same, temperature=1.0).item()
    assert right == pytest.approx(-math.log(math.e / (math.e + 1)), rel=1e-6)
    assert losses.info_nce(same, same.flip(0), temperature=1.0).item() == pytest.approx(
        right + 1.0, rel=1e-6
    )


def test_propensity_weights_by_hand() -> None:
    weights = losses.inverse_propensity(torch.tensor([1.0, 4.0, 100.0]), power=0.5, clip=1e9)
    raw = np.array([1.0, 0.5, 0.1])
    np.testing.assert_allclose(weights.numpy(), raw / raw.mean(), rtol=1e-6)


def test_propensity_weights_are_clipped() -> None:
    popularity = torch.tensor([1.0] + [1e6] * 99)
    free, clipped = (
        losses.inverse_propensity(popularity, power=1.0, clip=clip) for clip in (1e9, 10.0)
    )
    assert free[0].item() == pytest.approx(100.0, rel=1e-3)
    assert (clipped[0] / clipped[1]).item() == pytest.approx(10.0 / free[1].item(), rel=1e-3)
    assert clipped.mean().item() == pytest.approx(1.0)
    assert losses.inverse_propensity(torch.zeros(0), power=1.0, clip=10.0).shape == (0,)


def test_squared_error_by_hand() -> None:
    found = losses.squared_error(
        torch.tensor([1.0, 2.0]), torch.tensor([3.0, 2.5]), torch.tensor([1.0, 3.0])
    )
    assert found.item() == pytest.approx((4.0 + 3 * 0.25) / 4.0)
