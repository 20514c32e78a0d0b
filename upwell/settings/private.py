"""Settings of the budget of privacy under which is learned from many users."""

from __future__ import annotations

from dataclasses import dataclass

from upwell.settings.values import setting

__all__ = ["PrivateSettings"]


@dataclass(frozen=True, slots=True)
class PrivateSettings:
    """How much of any one user what is learned from many may tell (docs/private.md)."""

    epsilon: float | None = setting(
        None,
        "the budget, for all that a user ever does: what is learned from many users is told under "
        "noise, until it is spent (docs/private.md); unset, it is learned without",
        "operator",
        "ε",
        variable="PRIVATE_EPSILON",
        above=0.01,
        below=1_000,
    )
    delta: float = setting(
        1e-6,
        "the chance that the budget does not bound; less than one in the number of users",
        "operator",
        "δ",
        variable="PRIVATE_DELTA",
        above=1e-12,
        below=0.1,
    )
    events: int = setting(
        32,
        "of a user that count and that teach, each, at most, for good",
        "tuner",
        "events",
        variable="PRIVATE_EVENTS",
        above=1,
        below=10_000,
    )
    epochs: int = setting(
        64,
        "that are told before the budget is spent",
        "tuner",
        "epochs",
        variable="PRIVATE_EPOCHS",
        above=1,
        below=4_096,
    )
    fused: float = setting(
        0.0,
        "of the squared budget that the fused model learns by; at 0 it is off (docs/private.md)",
        "tuner",
        "share",
        variable="PRIVATE_FUSED",
        above=0.0,
        below=0.9,
    )
    epoch_examples: int = setting(
        200,
        "in the first epoch",
        "tuner",
        "examples",
        variable="PRIVATE_EPOCH_EXAMPLES",
        above=1,
    )
    growth: float = setting(
        1.15,
        "that each epoch is longer than the one before",
        "tuner",
        "times",
        variable="PRIVATE_GROWTH",
        above=1.0,
        below=10.0,
    )
