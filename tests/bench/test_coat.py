"""The Coat bench's figures by hand, and a fit that finds what is there."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bench.coat import bayes_weights
from bench.coat_figures import figures, gained
from bench.coat_model import Batch, Recipe, fit


def test_figures_by_hand() -> None:
    random = torch.tensor([[5.0, 0.0, 1.0, 3.0], [1.0, 2.0, 0.0, 0.0]])
    predicted = torch.tensor([[4.0, 9.0, 3.0, 3.0], [1.0, 2.0, 9.0, 9.0]])
    found = figures(predicted, random)
    assert found["mse"] == pytest.approx((1 + 4 + 0 + 0 + 0) / 5)
    assert found["mae"] == pytest.approx((1 + 2) / 5)
    assert found["auc"] == pytest.approx(
        (3 + 2.5) / 6
    )  # 4 is above all of 3, 1, 2; 3 is above 1 and 2 and ties with 3
    assert found["ndcg5"] == pytest.approx(
        (1 + 0.5) / (1 + 1 / np.log2(3))
    )  # likes at places 1 and 3, ties in order


def test_the_plain_head_gains_nothing_on_itself() -> None:
    errors = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert gained(errors, errors) == [0.0, 0.0]


def test_stars_that_are_chosen_often_weigh_less() -> None:
    chosen, aside = torch.zeros(1, 40), torch.tensor([[1.0, 5.0, 2.0, 3.0]])
    chosen[0, :4] = torch.tensor([5.0, 5.0, 5.0, 1.0])
    weights = bayes_weights(chosen, aside)
    assert weights[0, 0] < weights[0, 3]


@pytest.mark.parametrize("loss", ["self-normalized", "ips", "joint"])
def test_each_loss_finds_users_and_items_apart(loss: str) -> None:
    truth = 3.0 + torch.tensor([[1.0], [0.0], [-1.0]]) + torch.tensor([0.5, -0.5, 0.5, -0.5])
    batch = Batch(torch.eye(3), torch.eye(4), truth, torch.ones(3, 4))
    found = fit(batch, Recipe(2, 0.01, 1e9), loss, 0)  # type: ignore[arg-type]
    torch.testing.assert_close(found, truth, atol=0.1, rtol=0.0)
