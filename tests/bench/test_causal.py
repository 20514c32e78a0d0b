"""Weights, targets and propensities on worlds small enough to know the truth."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.causal import (
    clipped_weights,
    doubly_robust_targets,
    ips_error,
    propensities_by_rating,
    selection_propensities,
)
from learner.training.losses import squared_error


def test_weights_are_clipped() -> None:
    assert clipped_weights(torch.tensor([0.5, 0.25, 0.01]), 10.0).tolist() == [2.0, 4.0, 10.0]


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_over_all_samples_the_weighted_error_is_the_true_one(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    predicted, ratings = torch.randn(2, 3, generator=generator)
    chances = 0.2 + 0.6 * torch.rand(3, generator=generator)
    expected = torch.zeros(())
    for mask in range(8):
        seen = torch.tensor([bool(mask >> place & 1) for place in range(3)])
        chance = torch.where(seen, chances, 1 - chances).prod()
        expected += chance * ips_error(
            predicted[seen], ratings[seen], clipped_weights(chances[seen], 100.0), 3
        )
    assert expected.item() == pytest.approx((predicted - ratings).square().mean().item(), rel=1e-4)


def test_self_normalized_is_the_same_up_to_the_sum_of_weights() -> None:
    predicted, ratings, weights = (
        torch.tensor([1.0, 2.0]),
        torch.tensor([3.0, 5.0]),
        torch.tensor([2.0, 4.0]),
    )
    assert ips_error(predicted, ratings, weights, 6).item() == pytest.approx(
        squared_error(predicted, ratings, weights).item()
    )


def test_targets_by_hand() -> None:
    targets = doubly_robust_targets(
        torch.tensor([3.0, 3.0]),
        torch.tensor([4.0, float("nan")]),
        torch.tensor([2.0, 9.0]),
        torch.tensor([1.0, 0.0]),
    )
    assert targets.tolist() == [5.0, 3.0]


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_targets_have_the_gradient_of_the_doubly_robust_error(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    predicted, imputed, ratings, weights = torch.randn(
        4, 5, generator=generator, dtype=torch.float64
    )
    observed = (torch.rand(5, generator=generator) < 0.5).double()
    predicted.requires_grad_()
    errors, guessed = (predicted - ratings).square(), (predicted - imputed).square()
    (wanted,) = torch.autograd.grad(
        (guessed + observed * weights * (errors - guessed)).mean(), predicted
    )
    found = (predicted - doubly_robust_targets(imputed, ratings, weights, observed)).square().mean()
    torch.testing.assert_close(torch.autograd.grad(found, predicted)[0], wanted)


def test_propensities_of_stars_by_hand() -> None:
    found = propensities_by_rating(torch.tensor([10.0, 30.0]), torch.tensor([2.0, 0.0]), 0.1)
    torch.testing.assert_close(found, torch.tensor([0.1 * 0.25 / 0.75, 0.1 * 0.75 / 0.25]))


def test_the_selection_is_found_again() -> None:
    generator = torch.Generator().manual_seed(5)
    users, items = torch.eye(2).repeat(150, 1), torch.eye(2).repeat(150, 1)
    truth = users @ torch.tensor([[0.6, 0.1], [0.05, 0.3]]) @ items.T
    observed = (torch.rand(300, 300, generator=generator) < truth).float()
    found = selection_propensities(users, items, observed, 1e-6)
    torch.testing.assert_close(found, truth, atol=0.02, rtol=0.0)
    assert found.sum().item() == pytest.approx(observed.sum().item(), rel=1e-2)
