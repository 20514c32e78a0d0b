"""The bench of learned weights of actions, on logs whose truth is known."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bench.uses.actions import KINDS, Weights, compared, drawn, gains

VIEW, CLICK, CART, PURCHASE = range(len(KINDS))
shares = st.lists(st.floats(0.0, 1.0), min_size=len(KINDS), max_size=len(KINDS))


def errands(users: int) -> list[tuple[str, str, int]]:
    """Whoever bought a thing wants what belongs to it; what they clicked between leads nowhere."""
    draw, rows = np.random.default_rng(1), []
    for number in range(users):
        thing = int(draw.integers(8))
        rows.append((f"u{number}", f"bought {thing}", PURCHASE))
        rows.append((f"u{number}", f"clicked {draw.integers(8)}", CLICK))
        rows.append((f"u{number}", f"belongs to {thing}", CART))
    return rows


def test_where_a_kind_says_what_comes_its_weight_grows_and_the_lists_are_better() -> None:
    rows = errands(400)
    alike, _ = gains(rows, [1.0] * len(KINDS))
    learned, weights = gains(rows)
    assert weights[PURCHASE] > 1.2 > 0.9 > weights[CLICK]
    assert learned.mean() > alike.mean()


def test_a_log_of_one_kind_is_as_it_was_to_the_bit() -> None:
    rows = [(user, item, CLICK) for user, item, _ in drawn(3, 800, 20, 40)]
    alike, _ = gains(rows, [1.0] * len(KINDS))
    learned, weights = gains(rows)
    assert weights == [1.0] * len(KINDS)
    np.testing.assert_array_equal(learned, alike)


def test_what_a_user_had_is_no_target_and_what_they_only_viewed_is() -> None:
    again = [("u", "a", CLICK), ("u", "b", VIEW), ("u", "a", CART), ("u", "b", CLICK)]
    found, _ = gains([("u", f"x{n}", VIEW) for n in range(2)] + again)
    assert len(found) == 2  # a, then b


@given(st.lists(st.tuples(shares, shares), max_size=200))
def test_weights_stay_within_their_bounds(steps: list[tuple[list[float], list[float]]]) -> None:
    learned = Weights()
    for gave, leads in steps:
        learned.learn(np.array(gave), np.array(leads))
        assert np.isfinite(learned.logs).all()
        assert (np.abs(np.exp(learned.logs)) <= 4.0 + 1e-9).all()
        assert (np.exp(learned.logs) >= 0.25 - 1e-9).all()


def test_ways_are_compared_over_the_same_targets() -> None:
    found = compared(drawn(3, 600, 20, 40))
    assert found["targets"] > 50
    assert [one["way"] for one in found["ways"]] == ["learned", "set by hand", "set by hand"]
    assert all(one["interval"] > 0.0 for one in found["ways"])
