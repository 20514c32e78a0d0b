"""What is said on `encoders`, and when it is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stream.broker.encoders import Named, Word
from stream.broker.encoders.topic import read_lineage
from stream.ops.encoder.service import conclude, put_into_force, roll_back, standing
from stream.ops.encoder.trial import Ready
from stream.replay.adaptation.comparison import Found, Opinion
from stream.serve.encoders.switch import encoder_in_force
from tests.stream.ops.encoder.tried import settings_on
from upwell.client import client_options
from upwell.errors import SettingsError
from upwell.settings import Settings

NONE = np.zeros((0, 2), np.float32)


@pytest.fixture
def on(kafka: str, prefix: str, tmp_path: Path) -> Settings:
    return settings_on(kafka, prefix, tmp_path)


def ready_of(on: Settings, name: str) -> Ready:
    lineage = read_lineage(client_options(on.kafka), on.kafka.prefix)
    before = encoder_in_force(on.encoder, lineage)
    return Ready(Named(name, f"models/{name}"), before, ["i"], NONE, NONE, 0.98, 0)


def found(opinion: Opinion) -> Found:
    return Found(opinion, 9, {"before": 0.1, "after": 0.2}, {"before": 0.3, "after": 0.4})


def words(on: Settings) -> list[Word]:
    return [one.word for one in read_lineage(client_options(on.kafka), on.kafka.prefix).said]


@pytest.mark.parametrize("opinion", Opinion)
@pytest.mark.parametrize("may", [False, True])
def test_only_a_better_one_comes_into_force_by_itself(
    on: Settings, opinion: Opinion, may: bool
) -> None:
    promoted = conclude(on, ready_of(on, "b"), found(opinion), may, 7)
    assert promoted == (may and opinion is Opinion.BETTER)
    assert words(on) == [Word.TRIED, *[Word.PROMOTED] * promoted]
    said = standing(on)["said"]
    assert said[0]["figures"]["opinion"] == opinion
    assert {one["by"] for one in said} == {"guard"}


def test_there_and_back(on: Settings) -> None:
    first = standing(on)["in_force"]
    with pytest.raises(SettingsError, match="there is none to go back to"):
        roll_back(on, 1)
    put_into_force(on, ready_of(on, "b"), 2)
    put_into_force(on, ready_of(on, "c"), 3)
    assert [one["vectors"] for one in standing(on)["earlier"]] == [first["vectors"], "b"]
    assert roll_back(on, 4) == (Named("b", "models/b"), Named("c", "models/c"))
    back, _ = roll_back(on, 5)
    assert back.vectors == first["vectors"]
    assert standing(on)["in_force"] == first
    with pytest.raises(SettingsError, match="there is none to go back to"):
        roll_back(on, 6)


def test_it_matters_what_is_in_force_and_not_by_which_path(on: Settings, tmp_path: Path) -> None:
    here = ready_of(on, "b")
    put_into_force(on, replace(here, encoder=Named("b", "elsewhere")), 1)
    late = replace(ready_of(on, "c"), before=Named("b", "here"))
    put_into_force(on, late, 2)
    assert words(on) == [Word.PROMOTED] * 2


def test_a_trial_against_one_that_went_meanwhile_puts_nothing_into_force(on: Settings) -> None:
    late = ready_of(on, "b")
    put_into_force(on, ready_of(on, "c"), 1)
    with pytest.raises(SettingsError, match="models/c came into force meanwhile"):
        conclude(on, late, found(Opinion.BETTER), True, 2)
    assert words(on) == [Word.PROMOTED, Word.TRIED]
