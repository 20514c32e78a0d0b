"""What is known of each template, against plain Python."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from learner.desk.memory import MOST_OF_A_TEMPLATE, Known, Memory
from tests.learner.desk.asking import DIMENSION, vector


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), max_size=30), st.integers(0, 9))
def test_likeness_is_of_the_nearest_question_of_each_template(
    rows: list[tuple[int, int]], asked: int
) -> None:
    memory = Memory(DIMENSION)
    for number, (template, topic) in enumerate(rows):
        memory.add(Known(template, str(number)), vector(topic, number))
    query = vector(asked, 1_000)
    found = memory.likeness(query, 4)
    for template in range(4):
        cosines = {
            number: float(vector(topic, number) @ query)
            for number, (one, topic) in enumerate(rows)
            if one == template
        }
        if not cosines:
            assert (found.best[template], found.nearest[template]) == (0.0, -1)
            continue
        best = max(cosines, key=lambda number: cosines[number])
        np.testing.assert_allclose(found.best[template], cosines[best], atol=1e-6)
        assert memory.known[found.nearest[template]].text == str(best)
        kernel = sum(np.exp(12.0 * (one - 1.0)) for one in cosines.values())
        np.testing.assert_allclose(found.sum[template], np.log(kernel + 1e-3), atol=1e-5)


def test_the_oldest_of_a_template_makes_room_and_no_others() -> None:
    memory = Memory(DIMENSION)
    memory.add(Known(1, "other"), vector(1))
    for number in range(MOST_OF_A_TEMPLATE + 2):
        memory.add(Known(0, str(number)), vector(0, number))
    assert len(memory) == MOST_OF_A_TEMPLATE + 1
    assert memory.known[0].text == "other"
    assert memory.known[1].text == "2"
    np.testing.assert_array_equal(memory.vectors[1], vector(0, 2))


def test_what_is_removed_is_like_nothing() -> None:
    memory = Memory(DIMENSION)
    for number in range(4):
        memory.add(Known(number % 2, str(number), f"q{number}", f"u{number}"), vector(number))
    assert memory.remove(lambda one: one.by == "u2") == 1
    assert memory.remove(lambda one: one.by == "u2") == 0
    assert [one.text for one in memory.known] == ["0", "1", "3"]
    np.testing.assert_allclose(memory.likeness(vector(3), 2).best[1], 1.0, atol=1e-6)


def test_texts_are_of_one_template_oldest_first() -> None:
    memory = Memory(DIMENSION)
    for number, template in enumerate([0, 1, 0, 2, 0]):
        memory.add(Known(template, str(number)), vector(1))
    memory.remove(lambda one: one.text == "2")
    assert list(memory.texts(0)) == ["0", "4"]
    assert list(memory.texts(3)) == []
