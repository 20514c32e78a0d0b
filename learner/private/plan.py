"""How one budget is spent: on which sums, told how often, under how much noise. It knows nothing
about what the sums are of.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from learner.private.accountant import composed, epsilon_of, mu_for
from learner.private.continual import stretch
from upwell.errors import ModelError

__all__ = ["SHARES", "Plan"]

SHARES: Mapping[str, float] = {"likes": 0.55, "newcomers": 0.3, "moves": 0.05, "gate": 0.1}
"""Of the squared budget, by what is told (docs/private.md says how they were found)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """epsilon, delta: the whole budget, for all a user ever does. events, lessons: of a user that
    count, and that teach the gate, at most, for good. epochs: after how many nothing more is told.
    first: examples in the first epoch. growth: each epoch is that much longer than the one before.
    fused: of the squared budget, for the fused model; what is left goes to all else by `SHARES`.
    """

    epsilon: float
    delta: float
    events: int
    lessons: int = 16
    epochs: int
    first: int
    growth: float = 1.15
    fused: float = 0.0

    @property
    def mu(self) -> float:
        """The whole budget as μ."""
        return mu_for(self.epsilon, self.delta)

    @property
    def shares(self) -> dict[str, float]:
        """Of the squared budget, by what is told; they sum to 1."""
        rest = {name: share * (1.0 - self.fused) for name, share in SHARES.items()}
        return rest | ({"fused": self.fused} if self.fused else {})

    def sigma(self, name: str) -> float:
        """Deviation of the noise of the sums `name`, to which a user adds at most 1 in all."""
        return stretch(self.epochs) / (self.mu * math.sqrt(self.shares[name]))

    def mu_after(self, epochs: int) -> float:
        """μ of all that was told by then."""
        return composed(stretch(epochs) / self.sigma(name) for name in self.shares)

    def spent(self, mus: Mapping[int, int]) -> tuple[float, float]:
        """(μ, ε) where each generation, by number, told so many epochs."""
        mu = composed(self.mu_after(epochs) for epochs in mus.values())
        return mu, epsilon_of(mu, self.delta)

    def allows(self, mus: Mapping[int, int]) -> bool:
        """Whether so much may be told."""
        mu = composed(self.mu_after(epochs) for epochs in mus.values())
        return max(mus.values(), default=0) <= self.epochs and mu <= self.mu * (1.0 + 1e-9)

    def ends(self, epoch: int) -> int:
        """Examples after which the epoch (from 0) ends."""
        lengths = (self.first * self.growth**number for number in range(epoch + 1))
        return int(math.fsum(lengths))

    def lengths(self, epoch: int) -> list[int]:
        """In examples, of each epoch up to this one."""
        ends = [0, *(self.ends(number) for number in range(epoch + 1))]
        return [end - start for start, end in pairwise(ends)]

    def described(self) -> dict[str, Any]:
        """JSON-ready, for a checkpoint."""
        return asdict(self)

    def check(self, stored: Mapping[str, Any]) -> None:
        """Raises `ModelError` where what is `described` is another plan: it cannot be changed under
        way.
        """
        if dict(stored) != self.described():
            differ = [name for name, one in self.described().items() if stored.get(name) != one]
            had = ", ".join(f"{name} {stored.get(name)}" for name in differ)
            raise ModelError(
                f"the checkpoint was learned under another budget ({had}): a budget holds for "
                "good; set UPWELL_PRIVATE_* as they were, or start afresh with another UPWELL_DATA "
                "and UPWELL_PREFIX"
            )
