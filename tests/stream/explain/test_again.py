"""Every list that was published is made again to the digit, whatever stands behind it."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import orjson
import pytest

from stream.chain.privacy import Pseudonymizer
from stream.explain.again import make_again
from stream.explain.evidence import Evidence
from stream.explain.recorded import RecordedReplica
from stream.explain.report import report_of
from stream.ops.commands.explain.shown import words_of
from stream.replay.inline import InlineEngine
from stream.replay.log import LogRecord
from tests.stream.explain.engine import (
    ITEMS,
    POLICY,
    SURFACES,
    T0,
    Log,
    asked_on_surfaces,
    decisions,
    long_log,
    recorded,
    settings,
)
from upwell.errors import ModelError
from upwell.events import Topic
from upwell.settings import LearnerSettings

EVENTS = 260
_ON = "it was asked for to be shown on"


def played(engine: InlineEngine, lines: list[LogRecord]) -> list[str]:
    """The ids of the lists that were published, in their order; all lines are events."""
    ids = []
    for effects in engine.play(lines):
        assert effects.dead_letters == ()
        ids += [one.list_id for one in effects.lists]
    return ids


def test_what_is_gone_is_said_and_never_made_up(tmp_path: Path) -> None:
    """Of a user who is forgotten no list is held; others of the same call say that one is missing;
    where the beginning is gone, so is the way.
    """
    with recorded(tmp_path, settings()) as engine:
        ids = played(engine, long_log(60))
        replica = engine.replica
        assert isinstance(replica, RecordedReplica)
        evidence = replica.evidence
        kept = [evidence.lists(one)[0] for one in ids]
        calls = [one.step for one in kept]
        shared = next(one for one in kept if calls.count(one.step) > 1 and one.place)
        gone = next(one for one in kept if one.step == shared.step and one.user != shared.user)
        replica.forget_users({gone.user: gone.at - 1})
        assert evidence.lists(gone.list_id)
        replica.forget_users({gone.user: kept[-1].at})
        assert evidence.lists(gone.list_id) == []
        assert evidence.of_user(gone.user) == []
        again = make_again(evidence, shared)
        assert again.missing >= 1
        base = next(evidence.before(shared.step))
        evidence.prune(shared.at)
        assert next(evidence.before(shared.step)) == base
        replica.restore(*_checkpoint(engine))
        evidence.prune(kept[-1].at + 1)
        with pytest.raises(ModelError, match="no longer held"):
            make_again(evidence, shared)


def test_a_request_to_forget_reaches_what_is_kept(tmp_path: Path) -> None:
    lines = long_log(60)
    asked = {"event_id": "f", "ts": T0, "kind": "forget_user", "user_id": "user 1"}
    value = orjson.dumps(asked | {"by": "ann", "why": "asked to"})
    with recorded(tmp_path, settings()) as engine:
        played(engine, lines)
        replica = engine.replica
        assert isinstance(replica, RecordedReplica)
        name = Pseudonymizer(bytes(32)).pseudonym("user 1")
        assert replica.evidence.of_user(name)
        played(engine, [LogRecord(0, Topic.CONTROLS, b"user 1", value)])
        assert replica.evidence.of_user(name) == []
        assert replica.evidence.newest() is not None


def _checkpoint(engine: InlineEngine) -> tuple[Any, Any]:
    assert engine.promotion is not None
    return engine.learner.arrays() | engine.promotion.arrays(), engine.learner.meta()


def begin_again(engine: InlineEngine) -> None:
    """As where `models` announces a version and the replica is due."""
    assert engine.replica is not None
    engine.replica.restore(*_checkpoint(engine))


@pytest.mark.parametrize("exposure", [None, "popularity:tail>=0.9"])
def test_every_list_is_made_again_to_the_digit(tmp_path: Path, exposure: str | None) -> None:
    lines, said = long_log(EVENTS), decisions()
    with recorded(tmp_path, settings(exposure)) as engine:
        ids = played(engine, lines[:140])
        ids += played(engine, said)
        ids += played(engine, lines[140:240])
        begin_again(engine)
        ids += played(engine, lines[240:])
    assert len(ids) > 100
    evidence = Evidence(tmp_path / "serve-0.sqlite3")
    explored = lifted = pinned = searched = 0
    for list_id in ids[::3]:
        again = make_again(evidence, evidence.lists(list_id)[0])
        assert again.entries == again.published
        assert (again.same, again.missing) == (True, 0)
        explored += any(one.explored for one in again.entries)
        lifted += bool(len(again.lift))
        pinned += bool(again.request.pinned)
        searched += again.request.words is not None
    assert min(explored, pinned, searched) > 0
    assert bool(lifted) == (exposure is not None)


def test_lists_of_variants_plays_and_diversity_are_made_again_to_the_digit(tmp_path: Path) -> None:
    own, told = settings(), Log("v")
    for number in range(ITEMS):
        told.add(Topic.ITEMS, item_id=f"i{number}", group=f"g{number % 20}")
    for number in range(40):
        who = {"user_id": f"user {number % 5}", "item_id": f"i{number}"}
        told.add(Topic.CLICKS, **who, action="play", completion=number / 40)
        told.add(Topic.CLICKS, **who, action="save" if number % 2 else "hide")
    varied = replace(own.learner, diversity=2.0, calibration=1.5)
    with recorded(tmp_path, replace(own, learner=varied)) as engine:
        ids = played(engine, long_log(60)) + played(engine, told.lines)
        begin_again(engine)
        ids += played(engine, long_log(100)[-30:])
    evidence, signals = Evidence(tmp_path / "serve-0.sqlite3"), set[str]()
    for list_id in ids[::2]:
        again = make_again(evidence, evidence.lists(list_id)[0])
        assert again.entries == again.published
        signals |= {reason.signal for one in again.entries for reason in one.reasons}
    assert {"diversity", "calibration"} <= signals
    completions = {one.completion for one in again.request.state.history}
    assert len(completions) > 1


def test_lists_for_more_than_clicks_are_made_again_to_the_digit(tmp_path: Path) -> None:
    """From deltas and from a checkpoint, with decisions of people and lots beside."""
    own, told = settings(), Log("p")
    for number in range(90):
        who = {"user_id": f"user {number % 7}", "item_id": f"i{number * number % ITEMS}"}
        told.add(Topic.CLICKS, **who, action="click")
        if number % 3 == 0:
            told.add(Topic.CLICKS, **who, action="purchase")
    learner = replace(own.learner, objectives="purchase=3, dwell=1, return=1")
    with recorded(tmp_path, replace(own, learner=learner)) as engine:
        ids = played(engine, long_log(60)) + played(engine, told.lines[:90])
        ids += played(engine, decisions())
        begin_again(engine)
        ids += played(engine, told.lines[90:])
    evidence, signals, explored = Evidence(tmp_path / "serve-0.sqlite3"), set[str](), 0
    for list_id in ids[::2]:
        again = make_again(evidence, evidence.lists(list_id)[0])
        assert again.entries == again.published
        signals |= {reason.signal for one in again.entries for reason in one.reasons}
        explored += any(one.explored for one in again.entries)
    assert "purchase" in signals
    assert explored


def test_a_list_is_made_again_with_the_surface_that_it_was_asked_for(tmp_path: Path) -> None:
    """Without the policy's file: it is gone, and what it hid is not."""
    path, own = tmp_path / "policy.toml", settings()
    path.write_text(POLICY, "utf-8")
    with recorded(tmp_path, replace(own, policy=path)) as engine:
        played(engine, long_log(90) + decisions())
        asked = asked_on_surfaces()
        ids = played(engine, asked)
    path.unlink()
    evidence = Evidence(tmp_path / "serve-0.sqlite3")
    surfaces = []
    for list_id, line in zip(ids, asked, strict=True):
        again = make_again(evidence, evidence.lists(list_id)[0])
        assert again.same
        told = report_of(again, None)
        surfaces.append(told["asked"]["surface"])
        assert surfaces[-1] == orjson.loads(line.value)["surface"]
        on = [line for line in words_of(told) if "to be shown on" in line]
        assert on == ([] if surfaces[-1] is None else [f"{_ON} {surfaces[-1]}"])
        odd = {item for item in told["asked"]["excluded"] if int(item[1:]) % 5 in (1, 3)}
        assert bool(odd) == (surfaces[-1] in ("kids", "unknown"))
    assert set(surfaces) == set(SURFACES)


def test_a_list_from_before_variants_shared_a_place_is_made_again_as_it_was(tmp_path: Path) -> None:
    own = settings()
    before = replace(own, learner=replace(own.learner, same_group=0))
    new, told = ("same_group", "diversity", "calibration"), Log("v")
    for number in range(ITEMS):
        told.item(number, group="one")

    def older(value: LearnerSettings) -> dict[str, Any]:
        return {name: one for name, one in asdict(value).items() if name not in new}

    with (
        patch("stream.explain.recorded.asdict", older),
        recorded(tmp_path, before) as engine,
    ):
        ids = played(engine, told.lines) + played(engine, long_log(90)[-30:])
    evidence = Evidence(tmp_path / "serve-0.sqlite3")
    again = make_again(evidence, evidence.lists(ids[-1])[0])
    assert len(again.entries) > 1
    assert again.same
    assert again.replica.settings.same_group == 0
