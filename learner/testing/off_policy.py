"""Off-policy evaluation: what a policy would have earned on lists that another policy made, by
those lists' propensities.

The unit is a place that was shown: the value of a policy is the mean reward of a place. A place's
reward may depend on the user, the item and the place, not on its neighbours (the item-position
model of Li et al., KDD 2018, "Offline Evaluation of Ranking Policies with Click Models").
Estimators: inverse propensity (IPS), self-normalized (SNIPS: Swaminathan & Joachims, NeurIPS 2015)
and doubly robust (DR: Dudik et al., ICML 2011). Intervals: normal, 95 %, of a ratio of sums over
users, whose places are not independent. It knows nothing about logs, nor about how a policy
chooses.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["LEAST_EFFECTIVE", "LEAST_USERS", "Estimate", "Places", "Valued", "mean", "value"]

LEAST_EFFECTIVE = 100.0
LEAST_USERS = 30.0
_COVERED = 0.05
_NORMAL = 1.959964


@dataclass(frozen=True, slots=True)
class Places:
    """Every place that was shown, (n,) each. user: number of the user. reward: what the shown item
    earned.

    propensity: the probability with which the logging policy put it there, in (0, 1]. target: with
    which the other policy would have. predicted: the reward that a model expects of the shown item;
    expected: of what the other policy would have put there. Neither may have been fitted to this
    place's own reward.
    """

    user: NDArray[np.int64]
    reward: NDArray[np.float64]
    propensity: NDArray[np.float64]
    target: NDArray[np.float64]
    predicted: NDArray[np.float64]
    expected: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value and its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Valued:
    """What the log says. logged: the mean reward as it was. The other three are of the other
    policy, None where `abstains` says why.

    effective: weights that count as equal, (Σw)² / Σw². effective_users: the same of the users'
    sums of weights. covered: mean weight with its interval; it is the share of the other policy's
    places that the logging policy could have shown.
    """

    places: int
    logged: Estimate | None
    effective: float
    effective_users: float
    covered: Estimate | None
    ips: Estimate | None
    snips: Estimate | None
    dr: Estimate | None
    abstains: str | None


def value(places: Places) -> Valued:
    """The other policy's value by three estimators, or why there is none.

    Raises `ValueError` for a propensity outside (0, 1].
    """
    if not bool(np.all((places.propensity > 0.0) & (places.propensity <= 1.0))):
        raise ValueError("propensities lie in (0, 1]")
    count = len(places.reward)
    if not count:
        return Valued(
            0, None, 0.0, 0.0, None, None, None, None, "no place with a propensity was shown"
        )
    ones = np.ones(count)
    weight = places.target / places.propensity
    logged, covered = _ratio(places.user, places.reward, ones), _ratio(places.user, weight, ones)
    effective, effective_users = _effective(weight), _effective(_by_user(places.user, weight))
    if (why := _unsupported(effective, effective_users, covered)) is not None:
        return Valued(count, logged, effective, effective_users, covered, None, None, None, why)
    corrected = places.expected + weight * (places.reward - places.predicted)
    return Valued(
        count,
        logged,
        effective,
        effective_users,
        covered,
        _ratio(places.user, weight * places.reward, ones),
        _ratio(places.user, weight * places.reward, weight),
        _ratio(places.user, corrected, ones),
        None,
    )


def mean(user: NDArray[np.int64], reward: NDArray[np.float64]) -> Estimate | None:
    """The mean reward of some places, None where there are none."""
    return _ratio(user, reward, np.ones(len(reward))) if len(reward) else None


def _unsupported(effective: float, effective_users: float, covered: Estimate) -> str | None:
    if covered.high < 1.0 - _COVERED:
        return (
            f"the log could have shown {max(covered.value, 0.0):.1%} of what this policy would "
            "have shown"
        )
    if covered.low > 1.0 + _COVERED:
        return (
            f"the mean weight is {covered.value:.2f}, it should be 1: the propensities are not "
            "those of the shown lists"
        )
    if effective < LEAST_EFFECTIVE:
        return (
            f"the places weigh as much as {effective:.1f} equal ones, at least "
            f"{LEAST_EFFECTIVE:.0f} are needed"
        )
    if effective_users < LEAST_USERS:
        return (
            f"the users weigh as much as {effective_users:.1f} equal ones, at least "
            f"{LEAST_USERS:.0f} are needed"
        )
    return None


def _effective(weight: NDArray[np.float64]) -> float:
    squares = float(weight @ weight)
    return float(weight.sum()) ** 2 / squares if squares else 0.0


def _by_user(user: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(users,) sums."""
    users, places = np.unique(user, return_inverse=True)
    sums = np.zeros(len(users))
    np.add.at(sums, places, values)
    return sums


def _ratio(
    user: NDArray[np.int64], above: NDArray[np.float64], below: NDArray[np.float64]
) -> Estimate:
    """Σ above / Σ below; its variance is that of the users' sums of above − ratio · below."""
    total = float(below.sum())
    found = float(above.sum()) / total
    residual = _by_user(user, above - found * below)
    many = len(residual)
    error = (
        float("inf")
        if many < 2
        else float(np.sqrt((residual @ residual) * many / (many - 1))) / total
    )
    return Estimate(found, found - _NORMAL * error, found + _NORMAL * error)
