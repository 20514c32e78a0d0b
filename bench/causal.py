"""Ratings that users chose to give, weighed so that they speak for the pairs nobody rated:
propensities and doubly robust targets.

Inverse and self-normalized propensities: Schnabel et al. 2016 (the self-normalized error is
`losses.squared_error`). Doubly robust joint learning: Wang et al. 2019. Plain functions of tensors:
they know nothing about models, batches or streams.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = [
    "clipped_weights",
    "doubly_robust_targets",
    "ips_error",
    "propensities_by_rating",
    "selection_propensities",
]

_STEPS = 100  # of L-BFGS, which stops by itself where nothing moves


def clipped_weights(propensities: Tensor, clip: float) -> Tensor:
    """One over each propensity, at most `clip`: some bias for much less variance (Strehl et al.
    2010).
    """
    return (1.0 / propensities).clamp(max=clip)


def ips_error(predicted: Tensor, ratings: Tensor, weights: Tensor, pairs: int) -> Tensor:
    """Weighted squares of (n,) predictions against stars, over all `pairs` there are: unbiased
    where the weights are right.
    """
    return ((predicted - ratings).square() * weights).sum() / pairs


def doubly_robust_targets(
    imputed: Tensor, ratings: Tensor, weights: Tensor, observed: Tensor
) -> Tensor:
    """What to predict for every pair: the imputed rating, corrected by what an observed one shows
    it to be wrong by, times its weight.

    All of one shape; observed: 1 or 0, ratings elsewhere count for nothing. The gradient of the
    squared distance to these targets is that of the doubly robust error with imputed errors
    (predicted - imputed)²: right where either imputations or weights are.
    """
    return imputed + observed * weights * (torch.where(observed > 0, ratings, 0.0) - imputed)


def propensities_by_rating(chosen: Tensor, random: Tensor, share: float) -> Tensor:
    """P(rated | stars) by Bayes' rule, one number a level of stars, at most 1.

    chosen, random: (levels,) how often each level was given to chosen and to randomly shown items
    (the latter is what exploration logs; 1 is added to each). share: of all pairs that are rated.
    """
    random = random + 1.0
    return (share * (chosen / chosen.sum()) / (random / random.sum())).clamp(min=1e-6, max=1.0)


def selection_propensities(users: Tensor, items: Tensor, observed: Tensor, decay: float) -> Tensor:
    """(U, I) P(rated) by a logistic regression on (U, p) user features, (I, q) item features and
    each pair of them.

    observed: (V, I) 1 where there is a rating, of the first V users; the others are only told
    about. decay: of the squared weights, against the mean log loss. The intercept is free, so that
    the propensities of the V sum to their number of ratings.
    """
    main, pairs = (
        torch.zeros(users.shape[1] + items.shape[1]),
        torch.zeros(users.shape[1], items.shape[1]),
    )
    share = observed.mean()
    weights = [
        main.requires_grad_(),
        pairs.requires_grad_(),
        torch.logit(share).reshape(1).requires_grad_(),
    ]
    optimizer = torch.optim.LBFGS(weights, max_iter=_STEPS, line_search_fn="strong_wolfe")

    def logits() -> Tensor:
        by_user, by_item = users @ main[: users.shape[1]], items @ main[users.shape[1] :]
        return weights[2] + by_user[:, None] + by_item + users @ pairs @ items.T  # (U, I)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(logits()[: len(observed)], observed) + decay * (
            main.square().sum() + pairs.square().sum()
        )
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    return torch.sigmoid(logits()).detach()
