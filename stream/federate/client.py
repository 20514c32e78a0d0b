"""A client of a federation: plays its log through an engine of its own, a stretch a round, and
reports what that changed. Events, users and their vectors stay in this process.

It knows nothing about how reports become one model.
"""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from learner.federated.masked import masked, packed
from learner.federated.message import decode, encode
from learner.federated.private import Privacy, epsilon
from learner.federated.report import Report
from learner.federated.site import Site
from learner.federated.state import GlobalModel, contract
from stream.federate.cell import ClientCell
from stream.federate.log import ClientLog
from stream.replay.inline import InlineEngine
from upwell.errors import BrokerError, ModelError

__all__ = ["FederatedClient", "Hiding"]

BATCH_EVENTS = 64
POLL_S = 0.3
REPLY_S = 60.0
LEAVE_S = 2.0
Tell = Callable[[str], None]


@dataclass(slots=True)
class _Progress:
    """played: stretches that were. reported: the round of the last report, None before the
    first.
    """

    played: int = 0
    reported: int | None = None


@dataclass(frozen=True, slots=True)
class Hiding:
    """Of a client's reports. privacy: noise on each, None for none. secret: that all clients share
    and the server has not, for masks that cancel in the sum; None for none.
    """

    privacy: Privacy | None = None
    secret: bytes | None = None


class FederatedClient:
    """site: of the engine's learner. encoder: its name, which has to be the same everywhere.
    patience_s: how long a server may not answer.
    """

    def __init__(
        self,
        cell: ClientCell,
        engine: InlineEngine,
        site: Site,
        log: ClientLog,
        encoder: str,
        hiding: Hiding,
        tell: Tell,
        patience_s: float = 600.0,
    ) -> None:
        self._cell = cell
        self._engine = engine
        self._log = log
        self._privacy, self._secret = hiding.privacy, hiding.secret
        self._name = cell.name
        self._tell = tell
        self._patience_s = patience_s
        self._session = uuid.uuid4().hex
        self._contract = contract(engine.learner, encoder)
        self._site = site
        self._progress = _Progress()
        self._reports: Counter[str] = Counter()
        self._rng = np.random.default_rng()

    def run(self) -> dict[str, Any]:
        """Until all rounds are over; what came of them, JSON-ready. Raises `BrokerError` where the
        server stays away, `ModelError` where it refuses this client, `LogError`.
        """
        try:
            while True:
                task = self._task()
                if task["do"] == "done":
                    self._take(task)
                    return self._result(task)
                if task["do"] == "learn":
                    self._learn(task)
                else:
                    time.sleep(POLL_S)
        finally:
            self._leave()

    def _leave(self) -> None:
        """No round waits for it; a server that is gone needs no goodbye."""
        with suppress(BrokerError):
            self._cell.ask("leave", encode({"session": self._session}), LEAVE_S)

    def _task(self) -> dict[str, Any]:
        told, _ = self._ask("task", {})
        while told["do"] == "join":
            self._ask(
                "join",
                {"log": self._log.digest, "texts": self._log.texts, "contract": self._contract},
            )
            told, _ = self._ask("task", {})
        return dict(told)

    def _learn(self, task: dict[str, Any]) -> None:
        number, progress = task["round"], self._progress
        if progress.played <= number:
            stretches = self._log.stretches(task["rounds"])
            taken = task["taken"] if self._privacy is None else ()  # with noise counts stay owed
            for missed in range(progress.played, number):
                self._site.learn(self._play(stretches[missed], missed), missed in taken)
            self._take(task)
            self._site.learn(self._play(stretches[number], number))
            progress.played = number + 1
        progress.reported = number
        report = self._site.report()
        if self._privacy is not None:
            report = self._privacy.applied(report, self._rng)
        told, _ = self._ask("report", *self._as_sent(report, task))
        why = told.get("why")
        self._reports["refused" if why else "kept"] += 1
        self._tell(f"round {number}: " + (f"the report was refused: {why}" if why else "reported"))

    def _as_sent(self, report: Report, task: dict[str, Any]) -> tuple[dict[str, Any], Any]:
        """Raises `ModelError` where the server and this client do not both want it masked, or it
        would be hidden among too few.
        """
        if ("members" in task) != (self._secret is not None):
            raise ModelError(
                "a secure sum takes --secure at the server and --secret at every client: this one "
                + ("has no secret" if self._secret is None else "would send to a server without")
            )
        if self._secret is None:
            return report.head(), report.arrays()
        number, attempt = task["round"], task["attempt"]
        about = f"{number} {attempt} {' '.join(task['members'])}"
        try:
            numbers = masked(packed(report), self._name, task["members"], self._secret, about)
        except ValueError as exc:
            raise ModelError(str(exc)) from exc
        return {"round": number, "attempt": attempt}, {"masked": numbers}

    def _take(self, task: dict[str, Any]) -> None:
        model = GlobalModel.of(*self._ask("model", {}))
        taken = self._progress.reported in task["taken"]
        self._site.take(model, taken and self._privacy is None, "members" in task)
        if self._site.disputed:
            some = ", ".join(map(repr, sorted(self._site.disputed)[:3]))
            count = len(self._site.disputed)
            self._tell(f"{count} items have another text elsewhere and stay here: {some}")

    def _play(self, records: Any, number: int) -> Iterator[None]:
        for _ in self._engine.play(records, BATCH_EVENTS):
            yield
        if number == 0:
            self._engine.learner.figures.reset()

    def _ask(self, topic: str, head: dict[str, Any], arrays: Any = None) -> tuple[Any, Any]:
        """Raises `BrokerError` where no reply comes for so long, `ModelError` where it is no."""
        body = encode({"session": self._session, **head}, arrays)
        until = time.monotonic() + self._patience_s
        while True:
            try:
                told, found = decode(self._cell.ask(topic, body, REPLY_S))
                break
            except BrokerError:
                if time.monotonic() > until:
                    raise
                time.sleep(POLL_S)
        if "refused" in told:
            raise ModelError(f"the federation's server refuses: {told['refused']}")
        return told, found

    def _result(self, task: dict[str, Any]) -> dict[str, Any]:
        figures = self._engine.learner.figures.report()
        found = {
            "rounds": task["rounds"],
            "taken": len(task["taken"]),
            "reports": dict(self._reports),
            "events": self._engine.learner.learned,
            "disputed": len(self._site.disputed),
            "targets": figures["targets"],
            "ndcg10": figures["model"]["ndcg10"],
            "epsilon": None,
        }
        if self._privacy is not None:
            found["epsilon"] = epsilon(self._privacy.noise, sum(self._reports.values()))
        return found
