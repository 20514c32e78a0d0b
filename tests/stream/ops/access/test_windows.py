"""The windows of some users out of the newest checkpoint of a learner that has a fused model, and
of one that has none.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from learner.release import checkpoint
from learner.release.folder import LocalFolder
from learner.training.learner import Learner
from stream.ops.access.windows import Learned, read_windows
from stream.quarantine.quarantine import Quarantine
from stream.quarantine.state import arrays_of
from tests.learner.training.small import DIMENSION, SETTINGS, catalogue, log
from tests.stream.quarantine.crowd import PUSHED, Crowd
from upwell.errors import ModelError


def saved(folder: Path, fused: bool) -> LocalFolder:
    learner = Learner(replace(SETTINGS, fused=fused, fused_every=1_000_000), DIMENSION, 7)
    examples, _ = log(60)
    learner.add_items(catalogue())
    learner.learn(examples)
    place = LocalFolder(folder)
    meta = {"learner": learner.meta()}
    checkpoint.save_checkpoint(place, {}, {"learner": {"items": []}})
    checkpoint.save_checkpoint(place, learner.arrays(), meta)
    return place


def test_windows_are_the_users_events_by_name(tmp_path: Path) -> None:
    found = read_windows(saved(tmp_path, fused=True), {"u3", "nobody"})
    examples = [one for one in log(60)[0] if one.user == "u3"]
    assert found.examples == 60
    assert {one["user"] for one in found.windows} == {"u3"}
    seen = {event["item_id"] for one in found.windows for event in one["events"]}
    assert seen == {one.event.item_id for one in examples}
    newest = max(found.windows, key=lambda one: one["events"][-1]["ts"])["events"][-1]
    assert (newest["item_id"], newest["kind"]) == (
        examples[-1].event.item_id,
        examples[-1].event.kind,
    )


def test_without_a_fused_model_or_a_checkpoint_there_is_none(tmp_path: Path) -> None:
    assert read_windows(LocalFolder(tmp_path / "none"), {"u3"}) == Learned(None, 0, [])
    assert read_windows(saved(tmp_path, fused=False), {"u3"}).windows == []


def test_a_torn_checkpoint_is_said(tmp_path: Path) -> None:
    place = saved(tmp_path, fused=True)
    [*_, newest] = sorted(tmp_path.glob("*.safetensors"))
    newest.write_bytes(newest.read_bytes() + b" ")
    with pytest.raises(ModelError, match="is torn"):
        read_windows(place, {"u3"})


def test_what_waits_of_a_user_is_told_too(tmp_path: Path) -> None:
    crowd, quarantine = Crowd(), Quarantine("strict", 30.0, {})
    quarantine.sift(crowd.people(80) + crowd.profiles(9), 0)
    user = quarantine.state()["held"][-1].example.user
    place, meta = LocalFolder(tmp_path), {"learner": {"items": [], "learned": 5}}
    checkpoint.save_checkpoint(place, arrays_of(quarantine), meta)
    found = read_windows(place, {user, "nobody"}).windows
    assert {one["user"] for one in found} == {user}
    assert found[-1]["events"][-1]["item_id"] == PUSHED
    assert len(found[-1]["events"]) == 6
