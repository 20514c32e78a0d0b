"""Federated learning as it is run: processes and sockets, where the server and a client are killed
in the midst of it, and one who does not fit comes by.
"""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from learner.release.checkpoint import latest, load
from learner.release.folder import LocalFolder
from learner.release.guard import Guard
from learner.release.replica import Replica
from learner.training.learner import Learner
from learner.training.promotion import Promotion
from stream.federate.cell import ClientCell, Tls
from stream.ops.commands.manual import MANUAL
from tests.faults.scenarios.rounds import CLIENTS, ITEMS, ROUND_KILLS, Federation
from upwell.ports import RankRequest
from upwell.settings import Settings
from upwell.values import CatalogueItem, UserState

DIMENSION = 32


@pytest.mark.slow  # `make faults` has it
@pytest.mark.timeout(900)
def test_a_server_and_a_client_are_killed_in_a_round_and_nothing_is_lost_or_twice(
    tmp_path: Path,
) -> None:
    federation = Federation(tmp_path)
    assert len(federation.under_kills()) == ROUND_KILLS
    assert list(federation.told("server")) == list(MANUAL["federate server"].fields)
    assert list(federation.told("c0")) == list(MANUAL["federate client"].fields)
    assert federation.told("c2")["targets"]["all"] > 0
    assert_an_engine_starts_from(federation.out)


def assert_an_engine_starts_from(folder: Path) -> None:
    """What learn and serve do with their newest checkpoint."""
    models, settings = LocalFolder(folder), Settings().learner
    newest = latest(models)
    assert newest is not None
    arrays, meta = load(models, newest.name)
    learner, replica = Learner(settings, DIMENSION, 1), Replica(settings, DIMENSION)
    vectors = np.eye(DIMENSION, dtype=np.float32)
    items = [
        CatalogueItem(item_id=f"i{one}", ts=0, title="t", vector=vectors[one], revision="r")
        for one in range(ITEMS)
    ]
    learner.restore(arrays, meta["learner"])
    learner.add_items(items)
    promotion = Promotion(learner, Guard())
    promotion.restore(arrays)
    replica.restore(arrays, meta["learner"])
    replica.add_items(items)
    assert meta["version"] == promotion.version == learner.version == replica.version
    (entries,) = replica.rank(
        [RankRequest(state=UserState("new", np.zeros(DIMENSION, np.float32)), k=5)]
    )
    assert len({one.item_id for one in entries} & {item.item_id for item in items}) == 5
    assert all(one.reasons for one in entries)  # a new user's, by what others did
    assert {one for one in meta["learner"]["items"] if one.startswith("é")} == {
        f"é-{one}" for one in range(CLIENTS)
    }


def test_bytes_of_a_stranger_are_refused(tmp_path: Path) -> None:
    federation = Federation(tmp_path)
    server = federation.server()
    try:
        federation.until("server", "listens on")
        with closing(ClientCell(federation.address, "stranger", Tls())) as cell:
            reply = b""
            deadline = time.monotonic() + 60
            while not reply and time.monotonic() < deadline:
                try:
                    reply = cell.ask("report", b"\x80\x04pickle", 5.0)
                except Exception:  # it does not listen yet
                    time.sleep(0.1)
        assert b"cannot be read" in reply
    finally:
        server.kill()
        server.wait()
