"""How well ratings are told: errors, order, and what a method gains over another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["FIGURES", "figures", "gained", "user_errors"]

LIKED = 3  # of five stars, as the papers on these data have it
CUTOFF = 5
RESAMPLES = 2_000
FIGURES = ("mse", "mae", "auc", "ndcg5")


def figures(predicted: Tensor, random: Tensor) -> dict[str, float]:
    """On the ratings of `random` that are not 0. NDCG: liked or not, over users who liked any."""
    seen = random > 0
    errors = (predicted - random)[seen]
    gains = [
        _ndcg(predicted[user][seen[user]].numpy(), (random[user][seen[user]] >= LIKED).numpy())
        for user in range(len(random))
        if (random[user] >= LIKED).any()
    ]
    return {
        "mse": errors.square().mean().item(),
        "mae": errors.abs().mean().item(),
        "auc": _auc(predicted[seen].numpy(), (random[seen] >= LIKED).numpy()),
        "ndcg5": float(np.mean(gains)),
    }


def _auc(scores: NDArray[np.float32], liked: NDArray[np.bool_]) -> float:
    """Share of pairs in the right order, ties half."""
    values, codes, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2.0)[codes]
    likes = int(liked.sum())
    return float(
        (ranks[liked].sum() - likes * (likes + 1) / 2.0) / (likes * (len(values[codes]) - likes))
    )


def _ndcg(scores: NDArray[np.float32], liked: NDArray[np.bool_]) -> float:
    discounts = 1.0 / np.log2(np.arange(2, CUTOFF + 2))
    best = np.sort(liked)[::-1][:CUTOFF]
    return float(
        (liked[np.argsort(-scores, kind="stable")][:CUTOFF] * discounts[: len(best)]).sum()
        / (best * discounts[: len(best)]).sum()
    )


def user_errors(predicted: Tensor, random: Tensor) -> NDArray[np.float64]:
    """(U, 2) sum of squares and how many, of each user."""
    seen = random > 0
    return np.stack(
        [((predicted - random).square() * seen).sum(dim=1).numpy(), seen.sum(dim=1).numpy()], axis=1
    ).astype(np.float64)


def gained(errors: NDArray[np.float64], plain: NDArray[np.float64]) -> list[float]:
    """Difference of MSE to the plain head: 95 % from a bootstrap over users, the same users on both
    sides.
    """
    drawn = np.random.default_rng(0).integers(len(errors), size=(RESAMPLES, len(errors)))
    sums, others = errors[drawn].sum(axis=1), plain[drawn].sum(axis=1)
    return [
        float(edge)
        for edge in np.percentile(
            sums[:, 0] / sums[:, 1] - others[:, 0] / others[:, 1], [2.5, 97.5]
        )
    ]
