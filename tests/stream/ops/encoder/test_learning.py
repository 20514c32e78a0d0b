"""A round of the slow loop that leads to nothing leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from encoders.adapt import Objective, Options, Schedule
from stream.broker.encoders import Word
from stream.broker.encoders.topic import read_lineage
from stream.ops.encoder.learning import learn_once
from stream.ops.encoder.service import put_into_force
from stream.ops.encoder.trial import make_ready
from stream.replay.adaptation.comparison import Opinion
from tests.stream.ops.encoder.tried import adapted, announce, clicks, entries, settings_on
from tests.stream.replay.adaptation.logs import NOW
from upwell.client import client_options
from upwell.errors import LogError
from upwell.settings import Settings


@pytest.fixture
def on(kafka: str, prefix: str, tmp_path: Path) -> Settings:
    made = settings_on(kafka, prefix, tmp_path)
    announce(made, entries(made))
    return made


def options(rate: float) -> Options:
    return Options("top:1", Objective(mlm=0.0), Schedule(steps=6, batch=16, rate=rate, every=3))


def test_one_that_is_not_proven_better_goes_and_what_a_killed_round_left(
    on: Settings, tmp_path: Path
) -> None:
    clicks(on)
    models = tmp_path / "models"
    stands = models / "20200101T000000Z"
    models.mkdir()
    adapted(tmp_path / "tiny", stands)
    put_into_force(on, make_ready(on, str(stands), lambda _: None), 1)
    announce(on, entries(on, str(stands)))
    for name in ("20210101T000000Z", "20220101T000000Z", "mine"):
        (models / name).mkdir()
    (models / "20200101T000000Z.begun").write_text(on.kafka.prefix)  # killed after its promotion
    (models / "20210101T000000Z.begun").write_text(on.kafka.prefix)
    (models / "20220101T000000Z.begun").write_text("another engine's.")
    said: list[str] = []
    done = learn_once(on, models, options(2e-3), NOW, said.append)
    assert done.adapted.pairs["likes"] > 0
    assert done.adapted.folder is not None
    assert done.tried is not None
    assert (done.tried.opinion, done.promoted) == (Opinion.OPEN, False)  # `examples` is empty
    theirs = ["20220101T000000Z", "20220101T000000Z.begun"]
    assert sorted(one.name for one in models.iterdir()) == ["20200101T000000Z", *theirs, "mine"]
    lineage = read_lineage(client_options(on.kafka), on.kafka.prefix)
    assert [one.word for one in lineage.said] == [Word.PROMOTED, Word.TRIED]


def test_one_that_learned_nothing_is_not_tried(on: Settings, tmp_path: Path) -> None:
    clicks(on)
    done = learn_once(on, tmp_path / "models", options(1e-12), NOW, lambda _: None)
    assert (done.adapted.folder, done.tried, done.promoted) == (None, None, False)
    assert list((tmp_path / "models").iterdir()) == []
    assert done.value()["tried"] is None


def test_topics_without_events_are_named(on: Settings, tmp_path: Path) -> None:
    with pytest.raises(LogError, match="nothing to learn"):
        learn_once(on, tmp_path / "models", options(1e-3), NOW, lambda _: None)
    clicks(on)
    learn_once(on, tmp_path / "models", options(1e-12), NOW + 1_000, lambda _: None)
    assert list((tmp_path / "models").iterdir()) == []
