"""What Gaussian noise promises: (ε, δ) of mechanisms that compose exactly.

A release of something that one user moves by at most Δ (in the Euclidean norm), with Gaussian noise
of deviation σ, is μ-Gaussian differentially private with μ = Δ / σ; several of them, each of which
may depend on what those before told, are so with the root of the sum of their squares (Dong, Roth
and Su 2022, Corollary 2), and ε and δ follow from μ alone and exactly (Balle and Wang 2018). It
knows nothing about what is released.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

__all__ = ["composed", "delta_of", "epsilon_of", "mu_for"]

_STEPS = 200  # of a bisection: more than a float can tell apart
_LARGEST_MU = 1e3
_FAR = 20.0  # from here on a normal tail is told by its asymptotic series


def composed(mus: Iterable[float]) -> float:
    """μ of all of them together."""
    return math.sqrt(math.fsum(mu * mu for mu in mus))


def delta_of(mu: float, epsilon: float) -> float:
    """The least δ for which what is μ-Gaussian private is (ε, δ)-private. Raises `ValueError`."""
    if mu < 0.0 or epsilon < 0.0:
        raise ValueError(f"mu is {mu}, epsilon {epsilon}: must be at least 0")
    if mu == 0.0:
        return 0.0
    left = _log_tail(epsilon / mu - mu / 2.0)
    right = epsilon + _log_tail(epsilon / mu + mu / 2.0)
    return math.exp(left) * -math.expm1(min(0.0, right - left))


def epsilon_of(mu: float, delta: float) -> float:
    """The least ε for which what is μ-Gaussian private is (ε, δ)-private; rounded up. Raises
    `ValueError`.
    """
    _check(delta)
    if delta_of(mu, 0.0) <= delta:
        return 0.0
    low, high = 0.0, 1.0
    while delta_of(mu, high) > delta:
        low, high = high, 2.0 * high
    for _ in range(_STEPS):
        middle = (low + high) / 2.0
        if delta_of(mu, middle) > delta:
            low = middle
        else:
            high = middle
    return high


def mu_for(epsilon: float, delta: float) -> float:
    """The largest μ whose ε at δ is at most `epsilon`; rounded down. Raises `ValueError`."""
    _check(delta)
    if epsilon <= 0.0:
        raise ValueError(f"epsilon is {epsilon}: must be above 0")
    low, high = 0.0, _LARGEST_MU
    for _ in range(_STEPS):
        middle = (low + high) / 2.0
        if delta_of(middle, epsilon) > delta:
            high = middle
        else:
            low = middle
    return low


def _check(delta: float) -> None:
    if not 0.0 < delta < 1.0:
        raise ValueError(f"delta is {delta}: must be above 0 and below 1")


def _log_tail(x: float) -> float:
    """ln of the chance that a standard normal is above x."""
    if x < _FAR:
        return math.log(math.erfc(x / math.sqrt(2.0)) / 2.0)
    square = 1.0 / (x * x)
    series = 1.0 - square * (1.0 - 3.0 * square * (1.0 - 5.0 * square))
    return -x * x / 2.0 - math.log(x * math.sqrt(2.0 * math.pi)) + math.log(series)
