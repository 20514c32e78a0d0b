"""What the replay buffer keeps, in which mixture it gives it back, and that a forgotten user is
gone.
"""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from learner.fused.histories import LENGTH
from learner.training.buffer import STRIDE, ReplayBuffer, digest
from tests.learner.toy import DIMENSION, ITEMS, examples


def buffer(capacity: int = 30, recent: int = 4) -> ReplayBuffer:
    return ReplayBuffer(capacity, recent, DIMENSION, seed=1)


def one_each(count: int, start: int = 0) -> list[str]:
    return [f"u{number}" for number in range(start, start + count)]


def fill(made: ReplayBuffer, users: list[str]) -> None:
    for user in users:
        made.add(examples([user], [[1, 2, 3]]))


def walk(made: ReplayBuffer, user: str, events: int) -> None:
    path = [step % ITEMS for step in range(events)]
    for end in range(1, events + 1):
        batch = examples([user], [path[max(0, end - LENGTH - 1) : end]])
        batch.before[0] = end - 1
        made.add(batch)


def test_a_window_ends_with_the_event() -> None:
    made = buffer()
    made.add(examples(["u"], [[5, 6, 7]], stars=2.0))
    kept = made.sample(1, np.random.default_rng(1))
    assert kept.rows[0, :4].tolist() == [5, 6, 7, -1]
    assert kept.lengths[0] == 3
    assert kept.first[0]
    assert kept.ratings[0, :3].tolist() == [2.0, 2.0, 2.0]
    assert kept.ts[0, :3].tolist() == [0, 1_000, 2_000]


def test_a_users_window_slides_and_is_set_aside_every_stride() -> None:
    made = buffer(capacity=1_000, recent=500)
    walk(made, "u", 3 * STRIDE)
    assert len(made) == 3
    walk(made, "v", LENGTH + 30)
    rows = made.sample(500, np.random.default_rng(1))
    longest = rows.lengths.max()
    assert longest == LENGTH + 1
    assert not rows.first[rows.lengths == longest].all(), (
        "a full window does not begin with the first event"
    )


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 60), max_size=200), st.integers(1, 6), st.integers(2, 20))
def test_it_is_bounded(users: list[int], recent: int, more: int) -> None:
    made = buffer(recent + more, recent)
    fill(made, [f"u{user}" for user in users])
    assert len(made) <= recent + more
    assert (len(made) == 0) == (not users)
    assert len(made.sample(5, np.random.default_rng(1))) == (5 if users else 0)


def test_half_of_a_sample_is_recent() -> None:
    made = buffer(capacity=30, recent=4)
    fill(made, one_each(25))
    newest = {digest(name) for name in one_each(4, start=21)}
    kept = made.sample(40, np.random.default_rng(2))
    assert sum(user in newest for user in kept.users.tolist()) == 20


def test_while_nothing_is_older_all_is_recent() -> None:
    made = buffer(capacity=30, recent=10)
    fill(made, one_each(3))
    assert len(made.sample(8, np.random.default_rng(2))) == 8


def test_the_reservoir_is_a_uniform_sample_of_what_left_the_ring() -> None:
    kept = np.zeros(40)
    name_of = {digest(name): number for number, name in enumerate(one_each(44))}
    for seed in range(200):
        made = ReplayBuffer(14, 4, DIMENSION, seed)
        fill(made, one_each(44))
        older = [name_of[user] for user in made.arrays()["users"].tolist()][4:]
        kept[older] += 1
    assert kept.sum() == 200 * 10
    assert abs(kept[:20].sum() - kept[20:].sum()) < 200, (
        "early and late ones alike (about five standard deviations)"
    )


def test_a_forgotten_user_leaves_nothing_in_memory() -> None:
    made = buffer(capacity=12, recent=4)
    walk(made, "gone", 5 * STRIDE)
    fill(made, one_each(6))
    assert made.forget("gone") > 0
    assert made.forget("gone") == 0
    assert digest("gone") not in made.arrays()["users"]
    assert digest("gone") not in made._windows.users
    assert all(user != digest("gone") for user in made.sample(200, np.random.default_rng(1)).users)


def test_a_forgotten_user_may_come_back() -> None:
    made = buffer()
    fill(made, ["u", "v"])
    made.forget("u")
    fill(made, ["u"])
    assert len(made) == 2


def test_a_restored_buffer_goes_on_as_the_first_would() -> None:
    first, second = buffer(12, 4), buffer(12, 4)
    fill(first, one_each(20))
    second.restore(first.arrays())
    for made in (first, second):
        fill(made, one_each(15, start=10))
    np.testing.assert_array_equal(
        np.sort(first.arrays()["users"]), np.sort(second.arrays()["users"])
    )
    rows = [made.sample(30, np.random.default_rng(5)).rows for made in (first, second)]
    np.testing.assert_array_equal(rows[0], rows[1])


def test_what_was_sampled_does_not_change_afterwards() -> None:
    made = buffer()
    fill(made, ["u"])
    kept = made.sample(1, np.random.default_rng(1))
    before = kept.rows.copy()
    made.forget("u")
    np.testing.assert_array_equal(kept.rows, before)
