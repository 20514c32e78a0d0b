"""serve writes a copy of its store that opens like the store, and some users' states that are read
back as they are; it says why where it cannot.
"""

from __future__ import annotations

import threading
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
import pytest
from hypothesis import given

from store.codec import decode_user
from store.edge import open_edge
from store.memory import MemoryStore
from store.port import Store
from stream.serve.store_copy import answer_commands, copy_store_if_asked
from tests.store.states import DIMENSION, arbitrary_states, item, same_item, same_state, state
from upwell.system.errands import ask
from upwell.values import UserState


def asked(store: Store, folder: Path, target: Path) -> str | None:
    """The answer of who owns `store`."""
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set() and not copy_store_if_asked(store, folder):
            pass

    thread = threading.Thread(target=run)
    thread.start()
    try:
        return ask(folder, "store-copy", {"target": str(target)}, 60.0)
    finally:
        stop.set()
        thread.join()


def test_the_copy_opens_while_the_store_goes_on(tmp_path: Path) -> None:
    store = open_edge(tmp_path / "store", DIMENSION)
    store.write_users([state("a", 1)])
    store.write_items([item("i", 1)])
    (tmp_path / "copy" / "users").mkdir(parents=True)
    (tmp_path / "copy" / "users" / "torn").write_text("of a copy that was killed")
    assert asked(store, tmp_path / "store", tmp_path / "copy") is None
    store.write_users([state("a", 2)])
    copy = open_edge(tmp_path / "copy", DIMENSION)
    (found,) = copy.read_users(["a"])
    assert same_state(found, state("a", 1))
    assert same_item(copy.read_items(["i"])[0], item("i", 1))
    assert not (tmp_path / "copy" / "users" / "torn").exists()
    copy.close()
    store.close()


@pytest.mark.parametrize("kind", ["memory", "no room"])
def test_a_copy_that_fails_is_the_answer_and_the_store_goes_on(tmp_path: Path, kind: str) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "file").write_text("no folder")
    store: Store = (
        MemoryStore(DIMENSION) if kind == "memory" else open_edge(tmp_path / "store", DIMENSION)
    )
    said = asked(store, tmp_path / "store", tmp_path / "file" / "copy")
    assert said is not None
    assert ("no files of its own" if kind == "memory" else "Not a directory") in said
    assert store.write_users([state("a", 1)]) == []
    store.close()


@given(arbitrary_states)
def test_states_that_are_asked_for_are_read_back_as_they_are(one: UserState) -> None:
    store = MemoryStore(DIMENSION)
    store.write_users([one])
    with TemporaryDirectory() as name:
        folder, target = Path(name), Path(name) / "states"
        assert not answer_commands(store, folder)
        stop = threading.Event()

        def run() -> None:
            while not stop.is_set() and not answer_commands(store, folder):
                pass

        thread = threading.Thread(target=run)
        thread.start()
        try:
            asked = {"users": [one.user, "nobody else"], "target": str(target)}
            assert ask(folder, "user-copy", asked, 60.0) is None
        finally:
            stop.set()
            thread.join()
        found, none = orjson.loads(target.read_bytes())
    assert same_state(decode_user(found["vector"], found["payload"]), one)
    assert none is None
