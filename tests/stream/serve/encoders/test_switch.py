"""Which encoder a worker begins with, and how its two chains come to another one."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from encoders.hashing import HashingEncoder
from encoders.load import model_revision
from stream.broker.encoders import Lineage, Named, Said, Word
from stream.chain.catalogue import vectors_of
from stream.encode.load import load
from stream.serve.encoders.switch import EncoderSwitch, encoder_in_force, model_in_force
from tests.encoders.tiny import tiny_model
from upwell.errors import EncoderError, SettingsError
from upwell.settings import EncoderSettings


class Fake(HashingEncoder):
    """Named, and closed or not."""

    def __init__(self, name: str, dimension: int = 8) -> None:
        super().__init__(dimension)
        self.name, self.closed = name, 0

    @property
    def revision(self) -> str:
        return f"folder@{self.name}/mean/float32"

    def close(self) -> None:
        self.closed += 1


class Models:
    """What can be loaded; each waits for its gate."""

    def __init__(self, *names: str) -> None:
        self.models = {name: Fake(f"{name}/x") for name in names}
        self.gates = {name: threading.Event() for name in names}
        self.asked: list[str] = []

    def load(self, model: str) -> Fake:
        self.asked.append(model)
        if model not in self.models:
            raise EncoderError(f"{model} is not there")
        assert self.gates[model].wait(30)
        return self.models[model]


def named(name: str) -> Named:
    return Named(vectors_of(Fake(f"{name}/x").revision), name)


@pytest.fixture
def errors(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    caplog.set_level(logging.ERROR, "upwell.serve")
    return lambda: [record.getMessage() for record in caplog.records]


def until(condition: Callable[[], bool]) -> None:
    """Looks again and again."""
    for _ in range(30_000):
        if condition():
            return
        threading.Event().wait(0.001)
    raise AssertionError("in vain")


def test_each_chain_changes_over_by_itself_and_the_one_before_ends_with_the_last() -> None:
    models = Models("b")
    first = Fake("a/x")
    switch = EncoderSwitch(first, models.load)
    switch.want(named("b"))
    assert not switch.settled
    assert not switch.take_over()  # it is being loaded, and the chains go on
    assert switch.users.revision == switch.items.revision == first.revision
    models.gates["b"].set()
    until(switch.take_over)
    assert switch.settled
    assert switch.users.revision == models.models["b"].revision
    assert switch.items.revision == first.revision, "its own thread has not come by"
    assert first.closed == 0
    switch.follow()
    assert switch.items.revision == models.models["b"].revision
    assert first.closed == 1
    switch.follow()
    switch.close()
    assert (first.closed, models.models["b"].closed) == (1, 1)


def test_one_that_is_left_while_the_items_still_have_it_is_closed_when_they_go() -> None:
    models = Models("b", "c")
    for gate in models.gates.values():
        gate.set()
    switch = EncoderSwitch(Fake("a/x"), models.load)
    switch.want(named("b"))
    until(switch.take_over)
    switch.follow()
    switch.want(named("c"))
    until(switch.take_over)
    switch.follow()
    assert models.models["b"].closed == 1
    switch.close()
    assert (models.models["b"].closed, models.models["c"].closed) == (1, 1)


def test_of_two_named_in_a_row_the_last_one_counts_whichever_is_there_first() -> None:
    models = Models("b", "c")
    switch = EncoderSwitch(Fake("a/x"), models.load)
    switch.want(named("b"))
    switch.want(named("c"))
    models.gates["c"].set()
    until(switch.take_over)
    models.gates["b"].set()
    until(lambda: switch.take_over() or bool(models.models["b"].closed))
    assert switch.users.revision == models.models["c"].revision


def test_who_is_rolled_back_while_it_is_loaded_is_never_taken() -> None:
    models = Models("b")
    first = Fake("a/x")
    switch = EncoderSwitch(first, models.load)
    switch.want(named("b"))
    switch.want(named("a"))
    assert switch.settled
    models.gates["b"].set()
    until(lambda: switch.take_over() or bool(models.models["b"].closed))
    assert switch.users.revision == first.revision
    assert models.asked == ["b"]


def test_the_same_one_is_not_loaded_again() -> None:
    models = Models("b")
    switch = EncoderSwitch(Fake("a/x"), models.load)
    models.gates["b"].set()
    for _ in range(3):
        switch.want(named("a"))
    assert models.asked == []


@pytest.mark.parametrize("wrong", ["missing", "another", "longer"])
def test_one_that_cannot_be_had_is_said_and_the_worker_goes_on(
    wrong: str, errors: Callable[[], list[str]]
) -> None:
    models = Models("b")
    models.gates["b"].set()
    if wrong == "another":
        models.models["b"] = Fake("z/x")
    elif wrong == "longer":
        models.models["b"] = Fake("b/x", dimension=16)
    else:
        del models.models["b"]
    switch = EncoderSwitch(Fake("a/x"), models.load)
    switch.want(named("b"))
    until(lambda: bool(errors()))
    [said] = errors()
    assert "upwell encoder rollback" in said
    assert not switch.take_over()
    assert not switch.settled, "nothing is made anew by the wrong one"
    assert switch.users.encode(["x"]).shape == (1, 8)


def said_of(word: Word, encoder: Named, before: Named) -> Said:
    return Said(word=word, encoder=encoder, before=before, by="operator", at=1)


def test_the_one_in_force_is_taken_in_place_of_the_settings(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "tiny")
    own = Named(vectors_of(model_revision(str(folder))), str(folder))
    settings = EncoderSettings(model=str(folder))
    assert encoder_in_force(settings, Lineage()) == own
    other, third = Named("b", "models/b"), Named("c", "models/c")
    changed = Lineage.of([said_of(Word.PROMOTED, other, own)])
    assert encoder_in_force(settings, changed) == other
    assert model_in_force(settings, changed) == other.model
    unread = EncoderSettings(model="no such folder")
    assert model_in_force(unread, Lineage()) == unread.model
    again = Named(own.vectors, "where it lies on another machine")
    assert encoder_in_force(settings, Lineage.of([said_of(Word.PROMOTED, again, other)])) == own
    tried = Lineage.of([said_of(Word.TRIED, other, own)])
    assert encoder_in_force(settings, tried) == own
    with pytest.raises(SettingsError, match=r"in force on these topics is models/b .*never was"):
        encoder_in_force(settings, Lineage.of([said_of(Word.PROMOTED, other, third)]))


def test_a_model_is_loaded_as_the_settings_say(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "tiny")
    settings = EncoderSettings(
        model="never read", device="cpu", engine="torch", vectors=str(tmp_path / "vectors")
    )
    found = load(settings, str(folder))
    assert found.encode(["a"]).shape == (1, 32)
    assert np.isfinite(found.encode(["a"])).all()
    assert list((tmp_path / "vectors").glob("*.sqlite3"))
    found.close()
