"""The rounds of a federation, as its server keeps them: who is here, who reported, what is refused
and why, when a round is over, and the model that comes of it.

Time is passed in, nothing here waits. A round is over when all who are here have reported, or when
it has lasted `deadline_s` and enough have. It knows nothing about sockets or files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.counts.popularity import COUNT
from learner.federated.aggregate import AGGREGATES, mean
from learner.federated.counted import ADDED, Counted, Passed, added_up, all_passed
from learner.federated.masked import length, opened, summed_up
from learner.federated.options import Joined, Options, difference
from learner.federated.report import Report, report_of
from learner.federated.state import BY_ITEM, GlobalModel
from upwell.errors import ModelError

__all__ = ["Rounds"]

OUTLYING = 20.0
"""Times the median norm of a round's reports, above which one is refused."""
_LEAST_TO_COMPARE = 3


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
        self._masked: dict[str, NDArray[np.uint64]] = {}
        self._members: list[str] = []
        self._attempt = 0
        self._out: set[str] = set()  # of this round: what they said was no report
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
        """Clients that are here, take part in this round and have not reported."""
        done = self._masked if self.options.secure else self._reports
        part = self._members if self.options.secure else self.here
        return [one for one in self.here if one in part and one not in {*done, *self._out}]

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
        self._masked.pop(name, None)
        self._out.discard(name)

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
        if self.options.secure:
            head |= {"members": self._members, "attempt": self._attempt}
        if self.over:
            return {"do": "done", **head}
        waits = not self.running or name not in self.missing
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
        if self.options.secure:
            return self._take_masked(name, head, arrays)
        found = report_of(head, arrays, self.model.weights, len(self.model.layout))
        if isinstance(found, str):
            return self._shut_out(name, found)
        self._reports[name] = found
        return None

    def _take_masked(
        self, name: str, head: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> str | None:
        if head.get("attempt") != self._attempt or name not in self._members:
            return self._refuse(name, "late", "the others mask anew, without those who are missing")
        numbers, size = arrays.get("masked"), len(self.model.layout)
        if (
            numbers is None
            or numbers.dtype != np.uint64
            or numbers.shape != (length(self.model.weights, size),)
        ):
            return self._shut_out(name, "what is masked is of another length or type")
        self._masked[name] = numbers
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
        if self.options.secure:
            return self._step_masked(now_s)
        if len(self._reports) < self.options.needed:
            return False
        if self.missing and now_s - self._since < self.options.deadline_s:
            return False
        return self._end()

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
        self._masked, self._members, self._attempt, self._out = {}, self.here, 0, set()

    def _step_masked(self, now_s: float) -> bool:
        """A sum needs all its members: without one of them, those who are here begin it anew."""
        assert self._since is not None, "a round runs"
        if set(self._masked) == set(self._members):
            self.told["reports"] += len(self._members)
            self.model = self._opened()
            for name in self._members:
                self.joined[name].taken.append(self.model.rounds - 1)
            self._since = None
            return True
        late = now_s - self._since >= self.options.deadline_s
        there = set(self._masked if late else self.here) - self._out
        still = [one for one in self._members if one in there]
        if len(still) < self.options.needed:
            still = sorted(set(self.here) - self._out) if late else self._members
        if still != self._members and len(still) >= self.options.needed:
            self.told["waited_in_vain"] += len(self.missing)
            self.told["masked_anew"] += 1
            self._masked, self._members, self._since = {}, still, now_s
            self._attempt += 1
        return False

    def _opened(self) -> GlobalModel:
        model = self.model
        total = opened([self._masked[name] for name in self._members])
        moved, counted, passed, ready = summed_up(total, model.weights, len(model.layout))
        return self._moved(moved, counted, passed, ready)

    def _end(self) -> bool:
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
        liars = None if options.aggregate == "mean" else options.liars
        passed = all_passed([one.passed for one in reports], liars)
        counted = added_up([one.counted for one in reports], liars)
        return self._moved(moved, counted, passed, any(one.ready for one in reports))

    def _moved(
        self, moved: Mapping[str, NDArray[np.float64]], added: Counted, passed: Passed, ready: bool
    ) -> GlobalModel:
        model, cap = self.model, int(self._contract["neighbours"])
        return GlobalModel(
            model.layout,
            {name: (one + moved[name]).astype(np.float32) for name, one in model.weights.items()},
            model.counted.plus(added, passed, cap),
            model.ready or ready,
            model.rounds + 1,
        )

    def _shut_out(self, name: str, why: str) -> str:
        """This round does not wait for it, and asks it no more."""
        self._out.add(name)
        return self._refuse(name, "malformed", why)

    def _refuse(self, name: str, kind: str, why: str) -> str:
        self.told[f"refused_{kind}"] += 1
        self.refusals[name] = why
        return why
