"""Histories as arrays: what went in stands there, the rest is padding, and users do not mix."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from learner.counts.events import KINDS, item_events
from learner.fused.histories import LENGTH, HistoryBatch, history_batch
from upwell.values import Interaction, Vector

DIMENSION = 3
RATINGS = st.none() | st.sampled_from([0.5, 3.0, 5.0])
TIMES = st.integers(0, 2**45)
ITEMS = st.sampled_from([f"i{number}" for number in range(10)])
EVENTS = st.builds(Interaction, st.just("e"), TIMES, ITEMS, st.sampled_from(KINDS), RATINGS)
HISTORIES = st.lists(st.lists(EVENTS, max_size=6), min_size=1, max_size=5)
History = list[Interaction]


def row_of(item_id: str) -> int:
    return int(item_id.removeprefix("i"))


def batch(histories: list[History], intents: list[Vector | None] | None = None) -> HistoryBatch:
    events = item_events(histories, row_of)
    return history_batch(events, intents or [None] * len(histories), DIMENSION)


@given(HISTORIES)
def test_each_event_is_read_back_and_behind_it_is_padding(histories: list[History]) -> None:
    made = batch(histories)
    assert made.rows.shape == made.ts.shape == (len(histories), LENGTH)
    for user, history in enumerate(histories):
        count = int(made.lengths[user])
        stars = [None if np.isnan(one) else one for one in made.ratings[user, :count]]
        kinds = [KINDS[code] for code in made.kinds[user, :count]]
        read = zip(made.rows[user].tolist(), kinds, stars, made.ts[user].tolist(), strict=False)
        assert list(read) == [
            (row_of(str(one.item_id)), one.kind, one.rating, one.ts) for one in history
        ]
        assert (made.rows[user, count:] == -1).all()
        assert np.isnan(made.ratings[user, count:]).all()


@given(HISTORIES, st.data())
def test_those_at_places_are_as_if_they_had_come_alone(
    histories: list[History], data: st.DataObject
) -> None:
    places = data.draw(st.lists(st.integers(0, len(histories) - 1), min_size=1, max_size=4))
    taken = batch(histories).take(np.array(places))
    alone = batch([histories[place] for place in places])
    for name in ("rows", "kinds", "ratings", "ts", "lengths", "intents"):
        np.testing.assert_array_equal(getattr(taken, name), getattr(alone, name))


def test_an_intent_that_there_is_none_of_is_zeros() -> None:
    intent = np.array([1.0, -2.0, 0.5], np.float32)
    made = batch([[], []], [None, intent])
    np.testing.assert_array_equal(made.intents, [np.zeros(DIMENSION), intent])
    assert made.lengths.tolist() == [0, 0]


def test_of_a_longer_history_the_newest_events_are_read() -> None:
    history = [Interaction("e", ts, "i7", "view") for ts in range(LENGTH + 3)]
    assert batch([history]).ts[0].tolist() == list(range(3, LENGTH + 3))
