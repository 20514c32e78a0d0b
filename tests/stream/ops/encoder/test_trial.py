"""A candidate is made ready and compared while others write, on a real broker."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from encoders.adapt.alignment import FILE
from encoders.adapt.write import note_training
from stream.broker.encoders import Named, Said, Word
from stream.broker.encoders.topic import say
from stream.chain.catalogue import vectors_of
from stream.ops.encoder.trial import Ready, compare, make_ready
from stream.replay.adaptation.comparison import Opinion
from tests.stream.ops.encoder.tried import (
    COUNT,
    adapted,
    announce,
    entries,
    liked,
    settings_on,
)
from upwell.client import client_options
from upwell.errors import SettingsError
from upwell.settings import Settings


@pytest.fixture
def on(kafka: str, prefix: str, tmp_path: Path) -> Settings:
    return settings_on(kafka, prefix, tmp_path)


def quiet(_: str) -> None:
    pass


def test_all_texts_are_encoded_and_turned_and_a_second_time_from_disk(
    on: Settings, tmp_path: Path
) -> None:
    announce(on, entries(on))
    folder = adapted(tmp_path / "tiny", tmp_path / "new")
    ready = make_ready(on, str(folder), quiet)
    assert sorted(ready.item_ids) == sorted(f"i{row}" for row in range(COUNT))
    assert ready.likeness > 0.95
    assert (ready.encoder.model, ready.before.model) == (str(folder), on.encoder.model)
    made = {one.item_id: one for one in entries(on, str(folder))}
    assert {vectors_of(one.revision) for one in made.values()} == {ready.encoder.vectors}
    for item_id, vector in zip(ready.item_ids, ready.new, strict=True):
        np.testing.assert_array_equal(vector, made[item_id].vector)
    before = (folder / FILE).read_bytes()
    again = make_ready(on, str(folder), quiet)
    np.testing.assert_array_equal(again.new, ready.new)
    assert again.encoder == ready.encoder
    assert (folder / FILE).read_bytes() == before


def test_what_cannot_come_into_force_is_refused_by_name(on: Settings, tmp_path: Path) -> None:
    folder = adapted(tmp_path / "tiny", tmp_path / "new")
    with pytest.raises(SettingsError, match="has no items yet"):
        make_ready(on, str(folder), quiet)
    items = entries(on)
    announce(on, items)
    with pytest.raises(SettingsError, match="is in force already"):
        make_ready(on, on.encoder.model, quiet)
    assert not (tmp_path / "tiny" / FILE).exists()
    far = adapted(tmp_path / "tiny", tmp_path / "far", noise=30.0)
    with pytest.raises(SettingsError, match="reads too differently"):
        make_ready(on, str(far), quiet)
    assert not (far / FILE).exists()
    announce(on, entries(on, str(folder))[:3])
    with pytest.raises(SettingsError, match="3 of 40 items have vectors of another encoder"):
        make_ready(on, str(folder), quiet)


def test_one_that_was_in_force_stands_where_it_stood(on: Settings, tmp_path: Path) -> None:
    """The base model after a promotion: its vectors are turned nowhere, so they are as before."""
    plain = entries(on)
    announce(on, plain)
    ready = make_ready(on, str(adapted(tmp_path / "tiny", tmp_path / "new")), quiet)
    _in_force(on, ready)
    announce(on, entries(on, ready.encoder.model))
    back = make_ready(on, on.encoder.model, quiet)
    assert back.encoder == ready.before
    assert not (tmp_path / "tiny" / FILE).exists()
    expected = {one.item_id: one.vector for one in plain}
    for item_id, vector in zip(back.item_ids, back.new, strict=True):
        np.testing.assert_array_equal(vector, expected[item_id])


def test_the_stream_says_which_is_better_by_what_came_after_the_training(
    on: Settings, tmp_path: Path
) -> None:
    announce(on, entries(on))
    folder = adapted(tmp_path / "tiny", tmp_path / "new")
    note_training(folder, 5_000)
    ready = make_ready(on, str(folder), quiet)
    assert ready.since == 5_000
    ready = _that_sees(ready, neighbours=True)
    pairs = [(row, (row + 1) % COUNT) for row in range(COUNT)]
    liked(on, pairs, ts=1_000)
    found = compare(on, ready, False, quiet)
    assert (found.opinion, found.targets) == (Opinion.OPEN, 0)
    liked(on, pairs * 3, ts=6_000)
    found = compare(on, ready, True, quiet)
    assert found.opinion is Opinion.BETTER
    assert found.mrr["after"] > found.mrr["before"]
    worse = _that_sees(ready, neighbours=False)
    assert compare(on, worse, False, quiet).opinion is Opinion.WORSE


def _in_force(on: Settings, ready: Ready) -> None:
    said = Said(word=Word.PROMOTED, encoder=ready.encoder, before=ready.before, by="operator", at=1)
    say(client_options(on.kafka), on.kafka.prefix, said)


def _that_sees(ready: Ready, neighbours: bool) -> Ready:
    """Vectors of which one side has the next row near, the other far."""
    angles = {f"i{row}": 2 * np.pi * row / COUNT for row in range(COUNT)}
    near = np.array(
        [[np.cos(angles[one]), np.sin(angles[one])] for one in ready.item_ids], np.float32
    )
    far = np.random.default_rng(1).standard_normal((COUNT, 2)).astype(np.float32)
    far /= np.linalg.norm(far, axis=1, keepdims=True)
    old, new = (far, near) if neighbours else (near, far)
    encoder = Named("x", "x")
    return Ready(encoder, ready.before, ready.item_ids, old, new, 1.0, ready.since)
