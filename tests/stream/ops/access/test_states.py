"""States come out of whichever store there is: one that nobody has open, one that a running serve
holds, and one that lives in its memory.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import orjson
import pytest
from hypothesis import given

from store.edge import open_edge
from store.memory import MemoryStore
from store.port import Store
from stream.ops.access import states
from stream.ops.access.states import read_states, state_json
from stream.serve.store_copy import answer_commands
from tests.store.states import DIMENSION, arbitrary_states, same_state, state
from upwell.errors import StoreError
from upwell.settings import Settings, StoreSettings
from upwell.values import UserState


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Settings]:
    with patch.object(states, "model_dimension", return_value=DIMENSION):
        yield replace(Settings(), data=tmp_path)


@contextmanager
def serving(store: Store, folder: Path) -> Iterator[None]:
    """As serve does between batches."""
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            answer_commands(store, folder)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_where_there_is_no_store_nobody_has_a_state(own: Settings) -> None:
    found = read_states(own, ["a"])
    assert found.states == {"a": None}
    assert "no store in" in found.where
    assert not (own.data / "store").exists()


def test_a_store_that_nobody_has_open_is_opened(own: Settings) -> None:
    store = open_edge(own.data / "store", DIMENSION)
    store.write_users([state("a", 2)])
    store.close()
    found = read_states(own, ["a", "b"])
    assert same_state(found.states["a"], state("a", 2))
    assert found.states["b"] is None
    open_edge(own.data / "store", DIMENSION).close()  # it is let go


def test_a_store_that_serve_holds_is_asked_for_and_nothing_is_left_on_the_disk(
    own: Settings,
) -> None:
    store = open_edge(own.data / "store", DIMENSION)
    store.write_users([state("a", 2)])
    with serving(store, own.data / "store"):
        found = read_states(own, ["a", "b"])
    store.close()
    assert same_state(found.states["a"], state("a", 2))
    assert found.states["b"] is None
    assert "the running serve's" in found.where
    assert [one.name for one in own.data.iterdir()] == ["store"]
    assert not list((own.data / "store").glob("user-copy*"))


def test_a_store_that_is_held_and_not_answered_for_is_a_fault_and_no_answer(own: Settings) -> None:
    store = open_edge(own.data / "store", DIMENSION)
    with pytest.raises(StoreError, match="serve did not say what it holds"):
        read_states(own, ["a"], seconds=0.2)
    with (
        serving(store, own.data / "store"),
        patch.object(store, "read_users", side_effect=StoreError("it is damaged")),
        pytest.raises(StoreError, match="serve cannot read its store: it is damaged"),
    ):
        read_states(own, ["a"])
    store.close()


def test_a_store_in_memory_is_the_running_serves_or_nowhere(own: Settings) -> None:
    memory = replace(own, store=StoreSettings(kind="memory"))
    store = MemoryStore(DIMENSION)
    store.write_users([state("a", 2)])
    (own.data / "store").mkdir()
    with serving(store, own.data / "store"):
        assert same_state(read_states(memory, ["a"]).states["a"], state("a", 2))
    found = read_states(memory, ["a"], seconds=0.2)
    assert found.states == {"a": None}
    assert "lives in serve alone, and serve did not say" in found.where


@given(arbitrary_states)
def test_all_of_a_state_is_told_by_name(one: UserState) -> None:
    told = orjson.loads(orjson.dumps(state_json(replace(one, history=(), pending=()))))
    assert told["user"] == one.user
    assert told["watermark"] == dict(one.watermark)
    assert set(told) - {"impressions"} == set(UserState.__slots__) - {"shown"}
