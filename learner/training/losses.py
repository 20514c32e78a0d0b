"""The losses of the fused model as plain functions of tensors, and the weights of examples. They
know nothing about batches or models.

Sampled softmax: Bengio and Senécal 2008. FGSM: Goodfellow et al. 2015; VAT: Miyato et al. 2018;
both on embeddings, as He et al. 2018 (Adversarial Personalized Ranking). InfoNCE: van den Oord et
al. 2018. Inverse propensities: Schnabel et al. 2016.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = [
    "corrected_logits",
    "fgsm",
    "info_nce",
    "inverse_propensity",
    "softmax_cross_entropy",
    "squared_error",
    "vat",
]

_PROBE = 1e-2  # length of VAT's first step, far below any epsilon


def corrected_logits(
    users: Tensor, targets: Tensor, negatives: Tensor, log_inclusion: Tensor, collisions: Tensor
) -> Tensor:
    """(P, m) users, (P, m) their targets, (K, m) negatives in common → (P, 1 + K), the target
    first.

    A negative's score less log_inclusion (K,), the log of the probability that it was drawn, so
    that the exponentials sum, on average, to the softmax over all items. collisions: (P, K) where
    the negative is the target itself or must not count.
    """
    right = (users * targets).sum(dim=1, keepdim=True)
    wrong = users @ negatives.T - log_inclusion
    return torch.cat([right, wrong.masked_fill(collisions, -math.inf)], dim=1)


def softmax_cross_entropy(logits: Tensor, weights: Tensor) -> Tensor:
    """Mean of -log p(target), the target in column 0, weighed by (P,) `weights` over their sum."""
    loss = torch.logsumexp(logits, dim=1) - logits[:, 0]
    return (loss * weights).sum() / weights.sum().clamp(min=1e-12)


def fgsm(loss: Tensor, embeddings: Tensor, epsilon: float) -> Tensor:
    """The step of length epsilon in each row of `embeddings` (n, m) that raises the loss fastest
    (its graph is kept). Zero where flat.
    """
    (gradient,) = torch.autograd.grad(loss, embeddings, retain_graph=True)
    return epsilon * F.normalize(gradient, dim=1, eps=1e-12)


def vat(
    logits_of: Callable[[Tensor], Tensor],
    embeddings: Tensor,
    epsilon: float,
    generator: torch.Generator,
) -> Tensor:
    """Divergence (mean over rows) of the distribution from itself under the step of length epsilon
    in `embeddings` that moves it most.

    One power iteration. logits_of: embeddings (n, m) → logits (P, C). The gradient flows through
    the moved logits alone.
    """
    with torch.no_grad():
        calm = torch.log_softmax(logits_of(embeddings), dim=1)
    probe = torch.randn(embeddings.shape, generator=generator).to(embeddings)
    probe = F.normalize(probe, dim=1).requires_grad_()
    moved = divergence(calm, logits_of(embeddings.detach() + _PROBE * probe))
    (gradient,) = torch.autograd.grad(moved, probe)
    return divergence(
        calm, logits_of(embeddings + epsilon * F.normalize(gradient, dim=1, eps=1e-12))
    )


def divergence(calm: Tensor, logits: Tensor) -> Tensor:
    """Mean KL(calm ‖ softmax(logits)) over rows; calm: (P, C) log probabilities. Columns that are
    -inf in both do not count.
    """
    moved = torch.log_softmax(logits, dim=1)
    terms = torch.where(
        torch.isinf(calm), 0.0, calm.exp() * (calm - moved.masked_fill(torch.isinf(calm), 0.0))
    )
    return terms.sum(dim=1).mean()


def info_nce(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """(n, m) and (n, m): row i of one should know row i of the other among all, both ways."""
    logits = F.normalize(first, dim=1) @ F.normalize(second, dim=1).T / temperature
    own = torch.arange(len(logits), device=logits.device)
    return 0.5 * (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own))


def inverse_propensity(popularity: Tensor, power: float, clip: float) -> Tensor:
    """(P,) weights with mean one: popularity (P,) events on the item to the -power.

    clip: most times the mean before the last norming.
    """
    if not len(popularity):
        return popularity
    weights = popularity.clamp(min=1.0).pow(-power)
    weights = (weights / weights.mean()).clamp(max=clip)
    return weights / weights.mean()


def squared_error(predicted: Tensor, ratings: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean square of (n,) predictions against stars."""
    return ((predicted - ratings).square() * weights).sum() / weights.sum().clamp(min=1e-12)
