"""A watch goes on from its state as if it had never stopped."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save

from learner.watch.state import arrays_of, meta_of, restored
from learner.watch.watch import Told, Watch
from tests.learner.watch.posting import DIMENSION, SMALL, drawn, post, vector, write
from upwell.errors import ModelError

TINY = replace(SMALL, sample=32, recent=16, topics=3, quiet=(3, 9))
STEPS = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.integers(0, 90),
        st.integers(0, 5_000),
        st.one_of(st.none(), st.floats(-1, 1)),
    ),
    max_size=60,
)
Steps = list[tuple[int, int, int, float | None]]


def run(made: Watch, steps: Steps) -> list[Told]:
    told = []
    for topic, seed, minute, mood in steps:
        told.append(made.read(post(topic, seed, minute, mood), vector(topic, seed)))
        if seed % 17 == 0:
            made.forget(f"u{seed + 1}")
    return told


def again(made: Watch) -> Watch:
    """By way of a file's bytes."""
    contiguous = {name: np.ascontiguousarray(one) for name, one in arrays_of(made).items()}
    meta = json.loads(json.dumps(meta_of(made)))
    return restored(DIMENSION, made.options, load(save(contiguous)), meta)


def assert_same(made: Watch, other: Watch) -> None:
    mine, theirs = arrays_of(made), arrays_of(other)
    assert mine.keys() == theirs.keys()
    for name, array in mine.items():
        np.testing.assert_array_equal(array, theirs[name], err_msg=name)
    assert meta_of(made) == meta_of(other)


@settings(max_examples=30, deadline=None)
@given(STEPS, STEPS)
def test_what_comes_after_a_restart_is_told_to_the_digit(before: Steps, after: Steps) -> None:
    made = Watch(DIMENSION, TINY)
    run(made, before)
    other = again(made)
    assert run(made, after) == run(other, after)
    assert_same(made, other)


def test_a_surge_is_told_alike_by_one_that_was_restarted_within_it() -> None:
    made = Watch(DIMENSION, SMALL)
    write(made, drawn(1, 2_500))
    write(made, [3] * 3, 2_500)
    other = again(made)
    surge = [3 if seed % 2 else one for seed, one in enumerate(drawn(9, 200))]
    mine, theirs = write(made, surge, 2_503), write(other, surge, 2_503)
    assert mine == theirs
    assert [alert for one in mine for alert in one.alerts] != []
    assert made.alerts.open == again(made).alerts.open != {}
    assert_same(made, other)


def test_vectors_of_another_length_are_refused() -> None:
    made = Watch(DIMENSION, SMALL)
    with pytest.raises(ModelError, match="UPWELL_ENCODER"):
        restored(DIMENSION + 1, SMALL, arrays_of(made), meta_of(made))


def test_one_with_less_room_takes_what_fits() -> None:
    made = Watch(DIMENSION, SMALL)
    write(made, drawn(1, 400))
    less = restored(DIMENSION, replace(SMALL, sample=64, recent=32), arrays_of(made), meta_of(made))
    assert len(less.sample) <= 64
    assert len(less.recent) <= 32
    assert less.recent.rows[-1] == made.recent.rows[-1]
