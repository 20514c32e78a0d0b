"""Versions of the model and going back, over HTTP. That learn does so on a real broker is shown in
tests/e2e/gateway/test_operators.py.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from learner.release import checkpoint
from learner.release.folder import LocalFolder
from stream.broker.rollback import ERRAND
from tests.gateway.served import APP, InMemory, ask
from upwell.errors import SnapshotError
from upwell.events import Topic
from upwell.system.errands import answer_errand


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of two versions."""
    for version in ("1-a", "2-b"):
        arrays, meta = {"x": np.ones(3)}, {"version": version}
        checkpoint.save_checkpoint(LocalFolder(tmp_path), arrays, meta)
    return tmp_path


@contextmanager
def learning(home: Path, work: Callable[[Mapping[str, Any]], None]) -> Iterator[None]:
    """Somebody who answers on the folder."""
    over = threading.Event()

    def run() -> None:
        while not over.wait(0.01):
            answer_errand(home, ERRAND, work, SnapshotError)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_versions_are_told_the_newest_first(folder: Path) -> None:
    answer = ask(InMemory(folder=folder), "GET", "/v1/versions").json()
    assert answer == {"here": "7-abc", "versions": ["2-b", "1-a"], "rulings": []}


def test_learn_is_asked_to_go_back_once_it_stands_on_the_record(folder: Path) -> None:
    asked: list[str] = []
    gateway = InMemory(folder=folder)
    with learning(folder, lambda one: asked.append(one["version"])):
        answer = ask(gateway, "POST", "/v1/versions/1-a/rollback")
    [parcel] = gateway.out.parcels
    told = orjson.loads(parcel.value)
    assert parcel.topic == Topic.CONTROLS
    assert (told["kind"], told["version"], told["by"]) == ("rollback_model", "1-a", "gateway")
    assert (answer.status_code, answer.json()) == (200, {"version": "1-a"})
    assert asked == ["1-a"]


def test_what_learn_says_is_the_answer(folder: Path) -> None:
    def refuse(_: Mapping[str, Any]) -> None:
        raise SnapshotError("it is torn")

    with learning(folder, refuse):
        answer = ask(InMemory(folder=folder), "POST", "/v1/versions/1-a/rollback")
    assert (answer.status_code, answer.json()["detail"]) == (503, "it is torn")


def test_where_nobody_answers_that_is_told(folder: Path) -> None:
    answer = ask(InMemory(folder=folder), "POST", "/v1/versions/1-a/rollback?timeout=0")
    assert (answer.status_code, answer.json()["reason"]) == (503, "not_rolled_back")
    assert "does it run on this data folder?" in answer.json()["detail"]
    assert [one.name for one in folder.iterdir() if "rollback" in one.name] == []


def test_a_version_that_is_not_there_is_not_asked_for(folder: Path) -> None:
    answer = ask(InMemory(folder=folder), "POST", "/v1/versions/9-z/rollback")
    assert (answer.status_code, answer.json()["reason"]) == (404, "unknown_version")
    assert "there are: 2-b, 1-a" in answer.json()["detail"]
    nothing = ask(InMemory(), "POST", "/v1/versions/9-z/rollback")
    assert "there are: none" in nothing.json()["detail"]


def test_a_checkpoint_that_cannot_be_read_is_told(folder: Path) -> None:
    newest = checkpoint.every(LocalFolder(folder))[0]
    (folder / f"{Path(newest.name).stem}.safetensors").write_bytes(b"torn")
    answer = ask(InMemory(folder=folder), "GET", "/v1/versions")
    assert (answer.status_code, answer.json()["reason"]) == (503, "no_versions")
    assert newest.name in answer.json()["detail"]


def test_an_app_may_neither_see_nor_go_back(folder: Path) -> None:
    gateway = InMemory(folder=folder)
    assert ask(gateway, "GET", "/v1/versions", APP).status_code == 403
    assert ask(gateway, "POST", "/v1/versions/1-a/rollback", APP).status_code == 403
