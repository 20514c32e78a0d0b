"""How a federation goes, who takes part in it, and why somebody does not fit. It knows nothing
about rounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from learner.federated.aggregate import least_reports
from learner.federated.masked import LEAST_MEMBERS

__all__ = ["Joined", "Options", "difference"]


@dataclass(frozen=True, slots=True)
class Options:
    """clients: how many the first round waits for. rounds: in all. least: reports without which no
    round is over. aggregate: `mean`, `trimmed-mean` or `krum`; liars: how many of the clients it
    withstands. secure: reports are masked, and only their sum is known. Raises `ValueError` where
    so many clients cannot withstand them, or what is masked were to be compared.
    """

    clients: int
    rounds: int
    least: int = 1
    deadline_s: float = 600.0
    aggregate: str = "mean"
    liars: int = 1
    secure: bool = False

    def __post_init__(self) -> None:
        if self.secure and self.aggregate != "mean":
            raise ValueError(
                f"{self.aggregate} compares what single clients say, which a secure sum hides: "
                "take either"
            )
        needed = self.needed
        if needed > self.clients:
            raise ValueError(
                f"{self.aggregate} against {self.liars} liars needs {needed} reports a round, "
                f"there are {self.clients} clients: more clients, or fewer liars"
            )

    @property
    def needed(self) -> int:
        """Reports without which no round is over."""
        of_sum = LEAST_MEMBERS if self.secure else 1
        return max(self.least, of_sum, least_reports(self.aggregate, self.liars))


@dataclass(slots=True)
class Joined:
    """What is known of a client that came once. log: the digest of its log. texts: id → digest.
    taken: rounds whose model has what it reported. here: it is connected. session: of its process.
    """

    log: str
    texts: Mapping[str, str]
    taken: list[int] = field(default_factory=list)
    here: bool = False
    session: str = ""


def difference(said: Any, wanted: Mapping[str, Any]) -> str:
    """The first thing in which they differ, in words."""
    if not isinstance(said, dict):
        return "it says nothing of its settings"
    for name, one in wanted.items():
        if name == "weights" and isinstance(said.get(name), dict):
            for weight in sorted(one.keys() | said[name].keys()):
                if one.get(weight) != said[name].get(weight):
                    return (
                        f"{weight} is of shape {said[name].get(weight)} there and "
                        f"{one.get(weight)} here: run one version with the same settings"
                    )
        elif said.get(name) != one:
            return f"{name} is {said.get(name)!r} there and {one!r} here"
    return "it names what this version does not know"
