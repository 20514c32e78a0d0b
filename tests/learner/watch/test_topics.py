"""Topics begin, move, join and end."""

from __future__ import annotations

import numpy as np

from learner.watch.post import key_of
from learner.watch.rows import Row, Rows
from learner.watch.topics import BEGINS, Topics
from tests.learner.watch.posting import DIMENSION, vector

NEAR = 0.5


def add(rows: Rows, topic: int, seed: int, by: str | None = None) -> None:
    author = f"u{seed}" if by is None else by
    rows.add(Row(key_of(str(seed)), str(seed), "", author, seed), vector(topic, seed))


def begun(topics: Topics, rows: Rows, topic: int, first: int = 0, by: str | None = None) -> bool:
    for seed in range(first, first + BEGINS):
        add(rows, topic, seed, by)
        if topics.begin(rows, NEAR, seed) is not None:
            return True
    return False


def fresh(most: int = 9) -> tuple[Topics, Rows]:
    return Topics(DIMENSION, most), Rows(DIMENSION, 128, even=False)


def test_it_begins_with_enough_posts_of_different_authors() -> None:
    topics, rows = fresh()
    for seed in range(BEGINS - 1):
        add(rows, 3, seed)
        assert topics.begin(rows, NEAR, seed) is None
    add(rows, 3, 99, by="u0")
    assert topics.begin(rows, NEAR, 99) is None, "one of them has written before"
    add(rows, 3, 100)
    topic = topics.begin(rows, NEAR, 100)
    assert topic is not None
    assert (topic.number, topic.began) == (1, 100)
    assert {row.topic for row in rows.rows} == {1}
    assert topics.place(vector(3, 5000), NEAR) == 0
    assert topics.place(vector(4, 5000), NEAR) == -1


def test_one_author_begins_none_and_posts_of_nobody_do() -> None:
    topics, rows = fresh()
    assert not begun(topics, rows, 3, by="spammer")
    assert begun(topics, rows, 4, first=50, by="")


def test_a_number_is_never_given_again() -> None:
    topics, rows = fresh()
    assert begun(topics, rows, 3)
    topics.remove({1})
    assert begun(topics, rows, 4, first=50)
    assert [one.number for one in topics.all] == [2]


def test_the_younger_of_two_that_are_one_ends() -> None:
    topics, rows = fresh()
    assert begun(topics, rows, 3)
    assert begun(topics, rows, 4, first=50)
    topics.all[1].centre = topics.all[0].centre
    assert topics.join() == {2: 1}
    assert [one.number for one in topics.all] == [1]
    assert len(topics.centres) == 1


def test_centres_move_to_their_posts_and_rows_are_assigned_again() -> None:
    topics, rows = fresh()
    assert begun(topics, rows, 3)
    far = np.asarray(vector(3, 1) + 0.8 * vector(7, 1), np.float32)
    topics.all[0].centre = far / np.float32(np.linalg.norm(far))
    before = float(topics.all[0].centre @ vector(3, 0, 0.0))
    topics.move(rows)
    assert float(topics.all[0].centre @ vector(3, 0, 0.0)) > max(before, 0.95)
    add(rows, 9, 700)
    np.testing.assert_array_equal(topics.assign(rows, NEAR), [BEGINS])
    assert rows.rows[-1].topic == 0
    topics.remove({1})
    assert len(topics.assign(rows, NEAR)) == 0
    assert {row.topic for row in rows.rows} == {0}


def test_the_smallest_is_the_youngest_of_those_with_fewest_posts() -> None:
    topics, rows = fresh()
    for place, topic in enumerate((3, 4, 5)):
        assert begun(topics, rows, topic, first=100 * place)
    add(rows, 3, 999)
    topics.assign(rows, NEAR)
    assert topics.smallest(rows) == 3


def test_the_early_rows_of_a_new_topic_are_counted() -> None:
    topics, rows = fresh()
    sample = Rows(DIMENSION, 128, even=True)
    for seed in range(3):
        add(sample, 3, seed)
        add(sample, 5, 40 + seed)
    for row in sample.rows[:4]:
        row.early = True
    assert begun(topics, rows, 3, first=100)
    assert topics.assign_early(sample, NEAR) == (2, 4)
