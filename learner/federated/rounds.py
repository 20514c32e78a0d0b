"""The rounds of a federation, as its server keeps them: who is here, who reported, what is refused
and why, when a round is over, and the model that comes of it.

Time is passed in, nothing here waits. A round is over when all who are here have reported, or when
it has lasted `deadline_s` and enough have. It knows nothing about sockets or files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.counts.popularity import COUNT
from learner.federated.aggregate import AGGREGATES, least_reports, mean
from learner.federated.counted import ADDED, Passed, added_up
from learner.federated.report import Report, report_of
from learner.federated.state import BY_ITEM, GlobalModel
from upwell.errors import ModelError

__all__ = ["Joined", "Options", "Rounds", "difference"]

OUTLYING = 20.0
"""Times the median norm of a round's reports, above which one is refused."""
_LEAST_TO_COMPARE = 3


@dataclass(frozen=True, slots=True)
class Options:
    """clients: how many the first round waits for. rounds: in all. least: reports without which no
    round is over. aggregate: `mean`, `trimmed-mean` or `krum`; liars: how many of the clients it
    withstands. Raises `ValueError` where so many clients cannot withstand them.
    """

    clients: int
    rounds: int
    least: int = 1
    deadline_s: float = 600.0
    aggregate: str = "mean"
    liars: int = 1

    def __post_init__(self) -> None:
        needed = self.needed
        if needed > self.clients:
            raise ValueError(
                f"{self.aggregate} against {self.liars} liars needs {needed} reports a round, "
                f"there are {self.clients} clients: more clients, or fewer liars"
            )

    @property
    def needed(self) -> int:
        """Reports without which no round is over."""
        return max(self.least, least_reports(self.aggregate, self.liars))


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


class Rounds:
    """model: of all rounds that are over. told: how often what happened, by name. contract: see
    `state.contract`. joined: what a saved state said of clients.

    refusals: the newest reasons, by client.
    """

    def __init__(
        self,
        model: GlobalModel,
        options: Options,
        contract: Mapping[str, Any],
        joined: Mapping[str, Joined] | None = None,
    ) -> None:
        self.model = model
        self.options = options
        self.joined: dict[str, Joined] = dict(joined or {})
        self.told: Counter[str] = Counter()
        self.refusals: dict[str, str] = {}
        self._contract = contract
        self._reports: dict[str, Report] = {}
        self._since: float | None = None
        self._gathering: float | None = None
        self._gathered = False

    @property
    def over(self) -> bool:
        """All rounds are."""
        return self.model.rounds >= self.options.rounds

    @property
    def running(self) -> bool:
        """A round has begun and is not over."""
        return self._since is not None

    @property
    def here(self) -> list[str]:
        """Clients that are connected."""
        return sorted(name for name, one in self.joined.items() if one.here)

    @property
    def missing(self) -> list[str]:
        """Clients that are here and have not reported."""
        return [name for name in self.here if name not in self._reports]

    # ---- what clients say

    def join(self, name: str, session: str, log: str, texts: Mapping[str, str], said: Any) -> None:
        """A client's process is here. Raises `ModelError` where it cannot take part."""
        if said != self._contract:
            raise ModelError(f"{name} does not fit this server: {difference(said, self._contract)}")
        known = self.joined.get(name)
        if known is not None and known.log != log:
            raise ModelError(
                f"{name} was here with another log: its counts would be taken in twice; give the "
                "log that it had, or join under another --name"
            )
        if known is None:
            known = self.joined[name] = Joined(log, dict(texts))
            self.told["joined"] += 1
        else:
            known.texts = dict(texts)
            self.told["came_again"] += 1
        known.here, known.session = True, session
        self._reports.pop(name, None)  # of the process before

    def left(self, name: str) -> None:
        """Its process is gone: no round waits for it. What it reported holds."""
        if name in self.joined and self.joined[name].here:
            self.joined[name].here = False
            self.told["left"] += 1

    def task(self, name: str, session: str) -> dict[str, Any]:
        """What a client is to do: `join`, `wait`, `learn` or `done`, JSON-ready."""
        known = self.joined.get(name)
        if known is None or known.session != session:
            return {"do": "join"}
        known.here = True
        head = {"round": self.model.rounds, "rounds": self.options.rounds, "taken": known.taken}
        if self.over:
            return {"do": "done", **head}
        waits = not self.running or name in self._reports
        return {"do": "wait" if waits else "learn", **head}

    def report(
        self,
        name: str,
        session: str,
        head: Mapping[str, Any],
        arrays: Mapping[str, NDArray[Any]],
    ) -> str | None:
        """Why a report is refused; None where it is kept for the end of the round."""
        known = self.joined.get(name)
        if known is None or known.session != session:
            return self._refuse(name, "stranger", "this process did not join, or another one came")
        if head.get("round") != self.model.rounds or not self.running:
            return self._refuse(
                name, "late", f"round {head.get('round')} is over: {self.model.rounds} is running"
            )
        found = report_of(head, arrays, self.model.weights, len(self.model.layout))
        if isinstance(found, str):
            return self._refuse(name, "malformed", found)
        self._reports[name] = found
        return None

    # ---- as time goes on

    def step(self, now_s: float) -> bool:
        """Begins the next round, or ends the one that runs; whether one ended."""
        if self.over:
            return False
        if self._since is None:
            if self._enough(now_s):
                self._begin(now_s)
            return False
        if len(self._reports) < self.options.needed:
            return False
        if self.missing and now_s - self._since < self.options.deadline_s:
            return False
        return self._end(now_s)

    def _enough(self, now_s: float) -> bool:
        """At the start, also of a server that goes on, all are waited for, but no longer than a
        round lasts.
        """
        here, options = len(self.here), self.options
        if self._gathering is None and here:
            self._gathering = now_s
        waited = self._gathering is not None and now_s - self._gathering >= options.deadline_s
        self._gathered = self._gathered or here >= options.clients or waited
        return self._gathered and here >= options.needed

    def _begin(self, now_s: float) -> None:
        catalogues = [self.joined[name].texts for name in sorted(self.joined)]
        self.model = self.model.widened(self.model.layout.extended(catalogues))
        self._reports, self._since = {}, now_s

    def _end(self, now_s: float) -> bool:
        self._refuse_outliers()
        if len(self._reports) < self.options.needed:
            return False
        self.told["waited_in_vain"] += len(self.missing)
        names = sorted(self._reports)
        self.model = self._aggregated([self._reports[name] for name in names])
        for name in names:
            self.joined[name].taken.append(self.model.rounds - 1)
        self.told["reports"] += len(names)
        self._reports, self._since = {}, None
        return True

    def _refuse_outliers(self) -> None:
        norms = {name: one.norm for name, one in self._reports.items()}
        if len(norms) < _LEAST_TO_COMPARE:
            return
        most = OUTLYING * float(np.median(list(norms.values())))
        for name, norm in norms.items():
            if norm > most:
                del self._reports[name]
                self._refuse(name, "outlying", f"its weights moved by {norm:.3g}, most by far less")

    def _aggregated(self, reports: Sequence[Report]) -> GlobalModel:
        options, weights = self.options, [one.weights for one in reports]
        events = [float(max(1, one.passed.events)) for one in reports]
        if options.aggregate == "mean":
            on_items = np.stack([one.counted.sums[ADDED.index(COUNT)] for one in reports])
            moved = mean(weights, events, on_items, BY_ITEM)
        else:
            moved = AGGREGATES[options.aggregate](weights, options.liars)
        passed = Passed()
        for one in reports:
            passed = passed.plus(one.passed)
        liars = None if options.aggregate == "mean" else options.liars
        model, cap = self.model, int(self._contract["neighbours"])
        return GlobalModel(
            model.layout,
            {
                name: (one + moved[name]).astype(np.float32)
                for name, one in model.weights.items()
            },
            model.counted.plus(added_up([one.counted for one in reports], liars), passed, cap),
            model.ready or any(one.ready for one in reports),
            model.rounds + 1,
        )

    def _refuse(self, name: str, kind: str, why: str) -> str:
        self.told[f"refused_{kind}"] += 1
        self.refusals[name] = why
        return why


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
