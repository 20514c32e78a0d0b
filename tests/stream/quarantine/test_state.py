"""A quarantine in a checkpoint."""

from __future__ import annotations

import numpy as np
import orjson
import pytest

from learner.release.users import HELD, without_users
from stream.quarantine.quarantine import Quarantine
from stream.quarantine.state import arrays_of, held_in, take_arrays
from tests.stream.quarantine.crowd import PUSHED, Crowd
from upwell.errors import ModelError

NOW = 1_700_000_000_000


def filled(crowd: Crowd) -> Quarantine:
    made = Quarantine("strict", 30.0, {})
    made.sift(crowd.people(80) + crowd.profiles(15), NOW)
    return made


def test_a_restored_quarantine_goes_on_as_the_other_does() -> None:
    crowd = Crowd()
    one, other = filled(crowd), Quarantine("strict", 30.0, {})
    assert take_arrays(other, arrays_of(one))
    rest = crowd.people(5) + crowd.profiles(5)
    before, after = ([e.offset for e in made.sift(rest, NOW)] for made in (one, other))
    assert before == after
    released = [[e.offset for e in made.decide([PUSHED], [])] for made in (one, other)]
    assert released[0] == released[1] != []
    assert one.changes(NOW)[PUSHED] is None
    assert other.changes(NOW)[PUSHED] is None


def test_a_checkpoint_of_before_has_none() -> None:
    quarantine = Quarantine("strict", 30.0, {"reviews-0": 7})
    assert not take_arrays(quarantine, {})
    assert quarantine.state()["watermark"] == {"reviews-0": 7}


def test_one_of_another_version_is_an_error() -> None:
    arrays = arrays_of(Quarantine("strict", 30.0, {}))
    arrays[f"{HELD}state"] = np.frombuffer(orjson.dumps({"v": 2}), np.uint8)
    with pytest.raises(ModelError, match="another version"):
        take_arrays(Quarantine("strict", 30.0, {}), arrays)


def test_a_user_is_taken_out_of_a_checkpoint_and_the_others_stay() -> None:
    arrays = arrays_of(filled(Crowd()))
    held = list(held_in(arrays))
    gone = held[0].example.user
    kept, _ = without_users(arrays, {gone})
    stay = [one.example.offset for one in held if one.example.user != gone]
    assert [one.example.offset for one in held_in(kept)] == stay
    assert 0 < len(stay) < len(held)
