"""The figures of the budget of privacy (docs/private.md)."""

from __future__ import annotations

from stream.metrics.metric import Metric, Role

__all__ = ["PRIVACY"]

_LEARN: tuple[Role, ...] = ("learn",)

PRIVACY = (
    Metric(
        "privacy_epsilon",
        "gauge",
        "private.epsilon",
        "ε",
        "of the whole budget of privacy, where there is one",
        _LEARN,
        seldom=True,
    ),
    Metric(
        "privacy_delta", "gauge", "private.delta", "δ", "of the whole budget", _LEARN, seldom=True
    ),
    Metric(
        "privacy_epsilon_spent",
        "gauge",
        "private.spent",
        "ε",
        "of it, by what was told so far",
        _LEARN,
        seldom=True,
    ),
    Metric(
        "privacy_epochs",
        "counter",
        "private.epochs",
        "epochs",
        "that were told",
        _LEARN,
        seldom=True,
    ),
    Metric(
        "privacy_exhausted",
        "gauge",
        "private.exhausted",
        "0 or 1",
        "whether the budget is spent, so that nothing is learned of new events",
        _LEARN,
        seldom=True,
    ),
    Metric(
        "privacy_users",
        "gauge",
        "private.users",
        "users",
        "of whom something counted",
        _LEARN,
        seldom=True,
    ),
)
