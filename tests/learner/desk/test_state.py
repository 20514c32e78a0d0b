"""A desk goes on from its state as if it had never stopped."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save

from learner.desk.desk import Desk
from learner.desk.state import arrays_of, meta_of, restored
from tests.learner.desk.asking import DIMENSION, TARGET, desk, template, vector
from upwell.errors import ModelError

NONE = np.zeros((0, DIMENSION), np.float32)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.integers(0, 6), st.integers(0, 30)),
        st.tuples(st.just("choose"), st.integers(0, 30), st.integers(0, 4)),
        st.tuples(st.just("put"), st.integers(0, 6), st.integers(0, 1)),
        st.tuples(st.just("withdraw"), st.integers(0, 6), st.just(0)),
        st.tuples(st.just("forget"), st.integers(0, 2), st.just(0)),
    ),
    max_size=40,
)


def run(made: Desk, steps: list[tuple[str, int, int]]) -> list[object]:
    told: list[object] = []
    for what, one, other in steps:
        if what == "ask":
            found = made.ask(
                f"q{other}", f"word{one} no{other}", f"u{other % 3}", vector(one, other)
            )
            told.append(found)
        elif what == "choose":
            told.append(made.choose(f"q{one}", f"t{other}"))
        elif what == "put":
            made.put(template(one, *["x"] * other), vector(one), vector(one, 1)[None][:other])
        elif what == "withdraw":
            made.withdraw(f"t{one}")
        else:
            told.append(made.forget(f"u{one}"))
    return told


def again(made: Desk) -> Desk:
    """By way of a file's bytes."""
    contiguous = {name: np.ascontiguousarray(one) for name, one in arrays_of(made).items()}
    return restored(
        DIMENSION, TARGET, load(save(contiguous)), json.loads(json.dumps(meta_of(made)))
    )


@settings(max_examples=40)
@given(STEPS, STEPS)
def test_what_comes_after_a_restart_is_told_to_the_digit(
    before: list[tuple[str, int, int]], after: list[tuple[str, int, int]]
) -> None:
    made = desk(range(4))
    run(made, before)
    other = again(made)
    assert run(made, after) == run(other, after)
    mine, theirs = arrays_of(made), arrays_of(other)
    for name, array in mine.items():
        np.testing.assert_array_equal(array, theirs[name])
    assert meta_of(made) == meta_of(other)


def test_groups_go_on() -> None:
    made = desk([])
    for seed in range(4):
        made.ask(f"n{seed}", f"parrot {seed}", "u", vector(9, seed, 0.05))
    other = again(made)
    fifth = ("n5", "parrot 5", "u", vector(9, 5, 0.05))
    assert made.ask(*fifth).offer == other.ask(*fifth).offer is not None
    assert again(made).groups.groups[0].members == made.groups.groups[0].members


def test_a_state_of_before_words_were_told_apart_is_read() -> None:
    made = desk(range(3))
    for seed in range(30):
        made.ask(
            f"q{seed}", ["title text", f"ganz{seed} neu{seed}"][seed % 2], "u", vector(1, seed)
        )
        made.choose(f"q{seed}", "t1")
    arrays, meta = arrays_of(made), meta_of(made)
    assert sorted(arrays["read"].tolist()).count(True) == 15
    assert len(meta["unread"]) == 15
    before = restored(
        DIMENSION,
        TARGET,
        {name: one for name, one in arrays.items() if name != "read"},
        {name: one for name, one in meta.items() if name != "unread"},
    )
    assert [one[:2] for one in before.threshold.outcomes] == [
        one[:2] for one in made.threshold.outcomes
    ]
    assert all(read for _, _, read in before.threshold.outcomes)
    assert all(one.read for one in before.pending.values())


def test_vectors_of_another_length_are_refused() -> None:
    made = desk(range(2))
    with pytest.raises(ModelError, match="UPWELL_ENCODER"):
        restored(DIMENSION + 1, TARGET, arrays_of(made), meta_of(made))
