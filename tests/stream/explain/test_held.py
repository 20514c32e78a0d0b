"""Found by its id on this machine; refused where it is not held, or its user was forgotten."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import orjson
import pytest

from stream.broker.erasures.ledger import FILE, write_file
from stream.chain.effects import Forgotten
from stream.explain.again import Again
from stream.explain.evidence import FOLDER
from stream.explain.held import counterfactual_of, explained, kept_of
from stream.explain.report import report_of
from stream.ops.commands.explain.shown import differs_line, words_of
from tests.stream.explain.engine import long_log, recorded, settings
from upwell.errors import ModelError, SettingsError
from upwell.settings import Settings


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("data")
    made = replace(settings(explore=0.0), data=folder)
    with recorded(folder / FOLDER, made) as engine:
        for _ in engine.play(long_log(120)):
            pass
    return made


@pytest.fixture
def again(own: Settings) -> Again:
    return explained(own, "newest")


def test_the_newest_and_any_other_by_its_id(own: Settings, again: Again) -> None:
    assert again.same
    found = explained(own, again.kept.list_id)
    assert found.entries == again.entries
    assert again.kept in kept_of(own, again.kept.user)


def test_what_is_not_held_is_refused(own: Settings, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="list none is not held"):
        explained(own, "none")
    with pytest.raises(SettingsError, match="set UPWELL_EXPLAIN"):
        explained(replace(own, data=tmp_path), "newest")


def test_a_list_of_who_was_forgotten_is_refused_though_a_copy_of_the_file_has_it(
    own: Settings, again: Again
) -> None:
    kept = again.kept
    ledger = own.data / FILE
    for at, refused in ((kept.at - 1, False), (kept.at, True)):
        write_file(ledger, {kept.user: Forgotten(kept.user, at, "controls-0", 1, 0)})
        if refused:
            with pytest.raises(ModelError, match="was forgotten"):
                explained(own, kept.list_id)
        else:
            assert explained(own, kept.list_id).same
    ledger.unlink()


def test_the_counterfactual_takes_the_item_out(own: Settings, again: Again) -> None:
    inside = [one.item_id for one in again.published]
    found = counterfactual_of(own, again, inside[-1], 200)
    assert found is not None
    told = report_of(again, found)
    assert orjson.loads(orjson.dumps(told))["counterfactual"]["place"] == len(inside)
    assert found.stays is not bool(found.events)
    assert words_of(told)
    with pytest.raises(SettingsError, match="--item none"):
        counterfactual_of(own, again, "none", 10)


def test_a_list_that_comes_out_otherwise_is_never_taken_for_the_same(
    own: Settings, again: Again
) -> None:
    """As where the processor or a library is another: one score moves by its last digit."""
    first = again.entries[0]
    moved = replace(first, score=first.score * (1 + 2**-52))
    other = replace(again, entries=(moved, *again.entries[1:]))
    assert not other.same
    told = report_of(other, None)
    assert [one["place"] for one in told["differs"]] == [1]
    assert "differs at places 1" in differs_line(told)
    assert not any("made again" in line for line in words_of(told))


def test_of_a_list_made_twice_the_one_that_comes_out_the_same_counts(own: Settings) -> None:
    """A batch that was done again: both are held under one id."""
    found = explained(own, "newest")
    with patch("stream.explain.held.make_again") as made:
        made.side_effect = [replace(found, entries=()), found]
        with patch("stream.explain.evidence.Evidence.lists", lambda self, _: [found.kept] * 2):
            assert explained(own, "newest").same
