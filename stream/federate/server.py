"""A federation's server: rounds over sockets, each finished one saved before anybody hears of it,
as a checkpoint that an engine starts from.

It holds no event and no item's text. It knows nothing about how a report is made.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from learner.federated.message import decode, encode
from learner.federated.options import Joined, Options, difference
from learner.federated.rounds import Rounds
from learner.federated.state import GlobalModel, checkpoint_of, contract, first_model
from learner.ranking.parameters import part, prefixed
from learner.release.checkpoint import latest, load, prune, save_checkpoint, sweep
from learner.release.folder import LocalFolder
from learner.training.learner import Learner
from stream.federate.cell import ServerCell, Tls
from upwell.errors import ModelError, SettingsError
from upwell.settings import LearnerSettings
from upwell.system.lock import try_lock

__all__ = ["FederatedServer"]

STEP_S = 0.1
FAREWELL_S = 30.0
"""For how long clients may fetch the last model."""
KEEP = 2
MOST_ID, DIGITS = 512, 16
_STATE = "federated."
Tell = Callable[[str], None]


class FederatedServer:
    """out: the models folder. dimension: of the encoder named. Raises `SettingsError` where another
    server holds the folder, `ModelError` where what lies there is not of this federation.
    """

    def __init__(
        self,
        out: Path,
        settings: LearnerSettings,
        encoder: tuple[str, int],
        options: Options,
        tell: Tell,
    ) -> None:
        out.mkdir(parents=True, exist_ok=True)
        self._held = try_lock(out / "federation.lock")
        if self._held is None:
            raise SettingsError(f"another server writes to {out}: name another folder with --out")
        self._folder = LocalFolder(out)
        self._settings = settings
        self._dimension = encoder[1]
        self._tell = tell
        self._lock = threading.Lock()
        self._bye: set[str] = set()
        self._model = b""
        learner = Learner(settings, self._dimension, settings.seed)
        self._contract = contract(learner, encoder[0])
        self.rounds = self._resumed(options)

    def run(self, address: str, tls: Tls) -> dict[str, Any]:
        """Until all rounds are over; what came of them, JSON-ready."""
        topics = {
            "join": self._answer(self._join),
            "task": self._answer(self._task),
            "model": self._answer(self._whole),
            "report": self._answer(self._report),
            "leave": self._answer(self._leave),
        }
        cell = ServerCell(address, tls, topics, self._left)
        try:
            while not self.rounds.over:
                self._step()
                time.sleep(STEP_S)
            until = time.monotonic() + FAREWELL_S
            while set(self.rounds.here) - self._bye and time.monotonic() < until:
                time.sleep(STEP_S)
            time.sleep(STEP_S)  # the last reply leaves
        finally:
            cell.close()
        return self.result()

    def result(self) -> dict[str, Any]:
        """JSON-ready."""
        model = self.rounds.model
        return {
            "rounds": model.rounds,
            "clients": sorted(self.rounds.joined),
            "items": len(model.layout),
            "events": model.counted.clock,
            "told": dict(self.rounds.told),
            "refusals": self.rounds.refusals,
            "out": self._folder.address,
        }

    # ---- rounds

    def _step(self) -> None:
        with self._lock:
            running, refused = self.rounds.running, dict(self.rounds.refusals)
            ended = self.rounds.step(time.monotonic())
            if ended:
                self._save()
            if ended or running != self.rounds.running:
                model = self.rounds.model
                self._model = encode(model.head(), model.arrays())
        if ended:
            self._tell(f"round {self.rounds.model.rounds} of {self.rounds.options.rounds} is over")
        for name, why in self.rounds.refusals.items():
            if refused.get(name) != why:
                self._tell(f"refused {name}: {why}")

    def _save(self) -> None:
        rounds = self.rounds
        arrays, meta = checkpoint_of(rounds.model, self._settings, self._dimension)
        state = {
            "model": rounds.model.head(),
            "contract": self._contract,
            "clients": {
                name: {"log": one.log, "taken": one.taken} for name, one in rounds.joined.items()
            },
            "told": dict(rounds.told),
        }
        arrays |= prefixed(_STATE, rounds.model.arrays())
        save_checkpoint(self._folder, arrays, meta | {"federated": state})
        prune(self._folder, KEEP)

    def _resumed(self, options: Options) -> Rounds:
        sweep(self._folder)
        newest = latest(self._folder)
        if newest is None:
            fresh = first_model(self._settings, self._dimension)
            return Rounds(fresh, options, self._contract)
        arrays, meta = load(self._folder, newest.name)
        state = meta.get("federated")
        if state is None:
            raise ModelError(
                f"{self._folder.address} holds checkpoints of an engine, no federation's: name "
                "another folder with --out"
            )
        if state["contract"] != self._contract:
            raise ModelError(
                f"{self._folder.address} was begun with other settings: "
                + difference(state["contract"], self._contract)
            )
        model = GlobalModel.of(state["model"], part(arrays, _STATE))
        joined = {
            name: Joined(one["log"], {}, list(one["taken"]))
            for name, one in state["clients"].items()
        }
        found = Rounds(model, options, self._contract, joined)
        found.told.update(state["told"])
        self._tell(f"goes on after round {model.rounds}")
        return found

    # ---- what clients ask

    def _answer(self, handler: Callable[..., bytes]) -> Callable[[str, bytes], bytes]:
        def answer(name: str, body: bytes) -> bytes:
            try:
                head, arrays = decode(body)
                with self._lock:
                    return handler(name, str(head.get("session")), head, arrays)
            except ModelError as exc:
                with self._lock:
                    self.rounds.told["refused_message"] += 1
                    self.rounds.refusals[name] = str(exc)
                return encode({"refused": str(exc)})

        return answer

    def _join(self, name: str, session: str, head: Mapping[str, Any], _: object) -> bytes:
        texts = head.get("texts")
        if not isinstance(texts, dict) or not all(map(_fits, texts.items())):
            raise ModelError(
                "a client that joins names its items, each by 1 to 512 characters, and digests of "
                "their texts of 16"
            )
        self.rounds.join(name, session, str(head.get("log")), texts, head.get("contract"))
        self._tell(f"{name} joined, with {len(texts):,} items")
        return encode({})

    def _task(self, name: str, session: str, *_: object) -> bytes:
        return encode(self.rounds.task(name, session))

    def _whole(self, name: str, *_: object) -> bytes:
        if self.rounds.over:
            self._bye.add(name)
        if not self._model:
            model = self.rounds.model
            self._model = encode(model.head(), model.arrays())
        return self._model

    def _report(
        self, name: str, session: str, head: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> bytes:
        why = self.rounds.report(name, session, head, arrays)
        return encode({} if why is None else {"why": why})

    def _leave(self, name: str, session: str, *_: object) -> bytes:
        known = self.rounds.joined.get(name)
        if known is not None and known.session == session:
            self.rounds.left(name)
            self._tell(f"{name} said goodbye")
        return encode({})

    def _left(self, name: str) -> None:
        with self._lock:
            self.rounds.left(name)
        self._tell(f"{name} is gone")


def _fits(item: tuple[str, object]) -> bool:
    """An id as events have it, and a digest."""
    item_id, digest = item
    try:
        item_id.encode()
    except UnicodeEncodeError:
        return False
    return 0 < len(item_id) <= MOST_ID and isinstance(digest, str) and len(digest) == DIGITS
