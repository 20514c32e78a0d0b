"""A checkpoint's arrays without some users are those of a buffer that forgot them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from learner.release.users import WINDOWS, digest, without_users
from learner.training.buffer import ReplayBuffer
from tests.learner.toy import DIMENSION, examples

users = st.lists(st.sampled_from(["u", "v", "w", "ü" * 32]), max_size=40)


@given(users, st.sets(st.sampled_from(["u", "v", "ü" * 32, "nobody"])))
def test_it_is_as_if_the_buffer_had_forgotten_them(came: list[str], gone: set[str]) -> None:
    made = ReplayBuffer(12, 4, DIMENSION, seed=1)
    for user in came:
        made.add(examples([user], [[1, 2, 3]]))
    before = {WINDOWS + name: array for name, array in made.arrays().items()} | {"x": np.ones(2)}
    kept, count = without_users(before, gone)
    assert count == sum(made.forget(user) for user in gone)
    wanted = made.arrays()
    for name, array in wanted.items():
        if name == "open":
            assert sorted(kept[WINDOWS + name].tolist()) == sorted(array.tolist())
        else:
            np.testing.assert_array_equal(kept[WINDOWS + name], array)
    assert not {digest(user) for user in gone} & set(kept[WINDOWS + "users"].tolist())
    again = ReplayBuffer(12, 4, DIMENSION, seed=1)
    again.restore({name.removeprefix(WINDOWS): one for name, one in kept.items() if name != "x"})
    assert len(again) == len(made)


def test_a_learner_without_a_fused_model_has_no_windows() -> None:
    kept, count = without_users({"x": np.ones(2)}, {"u"})
    assert (list(kept), count) == (["x"], 0)
