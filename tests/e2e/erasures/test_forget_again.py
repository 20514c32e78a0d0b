"""A snapshot of before an erasure is restored, on the same broker, whose `controls` lets the
request go before the engine starts, and onto another one: whoever was forgotten is nowhere before
and after it runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from kafka import KafkaAdminClient

from store import open_store
from stream.broker.erasures.ledger import FILE, read_file
from stream.broker.lag import Lag
from stream.chain.privacy import Pseudonymizer, load_or_create_key
from stream.ops.access.document import export
from stream.ops.snapshot import restore, snapshot
from tests.e2e.engine import Engine
from tests.e2e.test_forget import assert_learned_of, learn_of_both
from tests.e2e.test_snapshot_running import delete_all
from upwell.client import UpwellClient
from upwell.errors import SnapshotError
from upwell.events import Topic
from upwell.settings import Settings
from upwell.values import UserState

OWN = {"UPWELL_FUSED": "on", "UPWELL_CHECKPOINT_EXAMPLES": "4"}
USERS = ("ann", "bob", "visitor")


@pytest.mark.timeout(400)
def test_whoever_was_forgotten_since_the_snapshot_is_forgotten_again(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    said: list[str] = []
    taken, old = tmp_path / "taken", tmp_path / "old"
    with (
        Engine(kafka, prefix, old, **OWN) as engine,
        UpwellClient(kafka, engine.settings.kafka) as upwell,
    ):
        learn_of_both(engine, upwell, prefix)
        held = export(engine.settings, "ann", events=False, now_ms=1)
        assert held["state"]["events"] == 6
        assert held["learner"]["windows"]
        snapshot(engine.settings, taken, said.append)
        for user in ("ann", "bob"):  # what a restored engine would work off once more
            upwell.click(user, "i1")
        upwell.flush()
        engine.wait(engine.settled, "both to be served")
        assert upwell.forget("ann", "op", "asked to", timeout=120).removed["state"] == 1
        settings = engine.settings
    name = Pseudonymizer(load_or_create_key(old / "key")).pseudonym
    names = {user: name(user) for user in USERS}
    assert set(read_file(old / FILE)) == {names["ann"]}

    same = replace(settings, data=tmp_path / "same")
    done = restore(same, taken, said.append)["forgotten_again"]
    assert (done["users"], done["states"]) == (1, 1)
    assert done["windows"] > 0
    assert_nothing_of_ann(same, names)
    assert_learned_of(same.data / "models", names, {"bob", "visitor"})
    forget_requests(engine)
    with Engine(kafka, prefix, same.data, **OWN) as engine:
        engine.wait(engine.settled, "what came after the snapshot")
    bob = assert_nothing_of_ann(same, names)
    assert (bob.events, bob.history[-1].item_id) == (13, "i1")
    assert_learned_of(same.data / "models", names, {"bob", "visitor"})

    delete_all(engine)
    other = replace(settings, data=tmp_path / "other")
    with pytest.raises(SnapshotError, match="is not known here"):
        restore(other, taken, said.append)
    assert restore(other, taken, said.append, erasures=[old])["forgotten_again"] == done
    assert_nothing_of_ann(other, names)
    with Engine(kafka, prefix, other.data, **OWN) as engine:
        engine.wait(engine.settled, "the records of the snapshot")
        found = export(other, "ann", events=False, now_ms=1)
    assert_nothing_of_ann(other, names)
    assert_learned_of(other.data / "models", names, {"bob", "visitor"})
    assert found["forgotten_ms"] is not None
    assert (found["state"], found["learner"]["windows"]) == (None, [])


def forget_requests(engine: Engine) -> None:
    """As `controls` is once its retention has passed: no fence can be read from it any more."""
    prefix = engine.settings.kafka.prefix
    with closing(KafkaAdminClient(**engine.client)) as admin, Lag(engine.client, prefix) as lag:
        ends = lag.ends([Topic.CONTROLS])
        admin.delete_records({partition: end for partition, end in ends.items() if end})


def assert_nothing_of_ann(settings: Settings, names: dict[str, str]) -> UserState:
    """Bob's state, who is still there."""
    ann, bob = states_of(settings, [names["ann"], names["bob"]])
    assert ann is None
    assert bob is not None
    return bob


def states_of(settings: Settings, users: Iterable[str]) -> list[UserState | None]:
    with closing(open_store("edge", folder=settings.data / "store", dimension=384)) as store:
        return store.read_users(list(users))
