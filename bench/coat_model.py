"""The rating head on a batch of ratings: users and items stand on their features, as on text in the
stream, plus an identity.

Fitted to all pairs at once, by the errors of `bench.causal`. It knows nothing about files, tables
or tests.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor, nn

from bench.causal import doubly_robust_targets, ips_error
from learner.training.losses import squared_error
from learner.training.rating import RatingHead

__all__ = ["Batch", "Loss", "Recipe", "fit"]

Loss = Literal["self-normalized", "ips", "joint"]
STEPS = 300
RATE = 0.02
_START = 0.1  # standard deviation of the first weights


@dataclass(frozen=True)
class Batch:
    """users: (U, p), items: (I, q) features. ratings: (U, I) stars, 0 for none. weights: (U, I)
    above 0, read where there are ratings.

    imputed: (U, I) what to believe of the pairs without a rating, or None.
    """

    users: Tensor
    items: Tensor
    ratings: Tensor
    weights: Tensor
    imputed: Tensor | None = None

    @property
    def observed(self) -> Tensor:
        return (self.ratings > 0).float()

    def without(self, held_out: Tensor) -> Batch:
        """held_out: (U, I) booleans."""
        return replace(self, ratings=self.ratings.masked_fill(held_out, 0.0))


@dataclass(frozen=True)
class Recipe:
    """width: of the vectors. decay: of squared weights, over the number of ratings. clip: most that
    a weight may be.
    """

    width: int
    decay: float
    clip: float


class Raters(nn.Module):
    """Every user and every item of a batch, and the product's head between them."""

    def __init__(self, batch: Batch, width: int, generator: torch.Generator) -> None:
        super().__init__()
        self.mean = 0.0

        def drawn(rows: int) -> nn.Parameter:
            return nn.Parameter(_START * torch.randn(rows, width, generator=generator))

        (count_users, count_items), self.features = batch.ratings.shape, (batch.users, batch.items)
        self.of_users, self.of_items = drawn(batch.users.shape[1]), drawn(batch.items.shape[1])
        self.user_identities, self.item_identities = drawn(count_users), drawn(count_items)
        self.user_offsets, self.item_offsets = (
            nn.Parameter(torch.zeros(count_users)),
            nn.Parameter(torch.zeros(count_items)),
        )
        self.user_effects, self.item_effects = (
            nn.Parameter(torch.zeros(one.shape[1])) for one in self.features
        )
        self.head = RatingHead(width).requires_grad_(
            False
        )  # offsets and vectors are learned here, so that how they meet need not be
        nn.init.ones_(self.head.match)

    def forward(self) -> Tensor:
        """(U, I) stars, not clipped."""
        users, items = self.features
        return self.head.every(
            users @ self.of_users + self.user_identities,
            items @ self.of_items + self.item_identities,
            self.mean,
            users @ self.user_effects + self.user_offsets,
            items @ self.item_effects + self.item_offsets,
        )

    def size(self) -> Tensor:
        """Sum of all squares."""
        return torch.stack(
            [one.square().sum() for one in self.parameters() if one.requires_grad]
        ).sum()


def fit(batch: Batch, recipe: Recipe, loss: Loss, seed: int) -> Tensor:
    """(U, I) predicted stars from 1 to 5."""
    generator = torch.Generator().manual_seed(seed)
    weights = batch.weights.clamp(max=recipe.clip) * batch.observed
    model, imputer = Raters(batch, recipe.width, generator), Raters(batch, recipe.width, generator)
    model.mean = float((batch.ratings * weights).sum() / weights.sum())
    decay = recipe.decay / float(batch.observed.sum())
    optimizers = [
        torch.optim.Adam([one for one in part.parameters() if one.requires_grad], lr=RATE)
        for part in (model, imputer)
    ]
    for _ in range(STEPS):
        predicted = model()
        imputed = batch.imputed
        if (
            loss == "joint"
        ):  # the imputer learns what is left of the ratings; the model sees it as given
            left = imputer()
            imputed = (predicted + left).detach()
            _step(
                optimizers[1],
                squared_error(left, batch.ratings - predicted.detach(), weights)
                + decay * imputer.size(),
            )
        if imputed is not None:
            error = (
                (predicted - doubly_robust_targets(imputed, batch.ratings, weights, batch.observed))
                .square()
                .mean()
            )
        elif loss == "ips":
            error = ips_error(predicted, batch.ratings, weights, weights.numel())
        else:
            error = squared_error(predicted, batch.ratings, weights)
        _step(optimizers[0], error + decay * model.size())
    with torch.no_grad():
        return torch.as_tensor(model()).clamp(1.0, 5.0)


def _step(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
