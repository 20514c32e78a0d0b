"""serve writes a copy of its store that opens like the store, and says why where it cannot."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from store.edge import open_edge
from store.memory import MemoryStore
from store.port import Store
from stream.serve.store_copy import copy_store_if_asked
from tests.store.states import DIMENSION, item, same_item, same_state, state
from upwell.system.errands import ask


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
