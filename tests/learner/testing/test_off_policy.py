"""Off-policy estimates against a simulation whose true value is known, and the laws that hold
exactly.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from learner.testing.off_policy import Estimate, Places, mean, value

USERS, ITEMS, LISTS, PLACES = 250, 5, 4, 2
RUNS = 400


class World:
    """Two kinds of users; a reward depends on kind, item and place; users differ in how eager they
    are, so their places hang together.
    """

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.chance = rng.uniform(0.05, 0.6, (2, ITEMS, PLACES))
        self.logging = rng.dirichlet(np.full(ITEMS, 3.0), (2, PLACES)).transpose(
            0, 2, 1
        )  # (kind, item, place)
        self.target = rng.dirichlet(np.full(ITEMS, 1.0), (2, PLACES)).transpose(0, 2, 1)
        self.true = float((self.target * self.chance).sum(axis=1).mean())

    def places(
        self,
        rng: np.random.Generator,
        users: int = USERS,
        *,
        model: NDArray[np.float64] | None = None,
    ) -> Places:
        """model: (kind, item, place) expected rewards; by default one that knows nothing of kinds
        or places.
        """
        model = (
            np.broadcast_to(self.chance.mean(axis=(0, 2))[None, :, None] * 0.8, self.chance.shape)
            if model is None
            else model
        )
        kind = rng.integers(2, size=users)
        eager = rng.uniform(0.5, 1.5, users)
        user, place = (
            grid.ravel()
            for grid in np.meshgrid(
                np.arange(users), np.tile(np.arange(PLACES), LISTS), indexing="ij"
            )
        )
        kinds = kind[user]
        chances = self.logging[kinds, :, place]  # (n, item)
        item = (
            (rng.random(len(user))[:, None] > chances.cumsum(axis=1))
            .sum(axis=1)
            .clip(max=ITEMS - 1)
        )
        reward = (rng.random(len(user)) < eager[user] * self.chance[kinds, item, place]).astype(
            float
        )
        target = self.target[kinds, :, place]
        rows = np.arange(len(user))
        expected = (target * model[kinds, :, place]).sum(axis=1)
        return Places(
            user,
            reward,
            chances[rows, item],
            target[rows, item],
            model[kinds, item, place],
            expected,
        )


def within(estimate: Estimate | None, true: float) -> bool:
    assert estimate is not None
    return estimate.low <= true <= estimate.high


def found(estimate: Estimate | None) -> float:
    assert estimate is not None
    return estimate.value


@pytest.mark.parametrize("seed", [1, 2])
def test_the_intervals_hold_the_true_value_as_often_as_they_say(seed: int) -> None:
    world, rng = World(seed), np.random.default_rng(100 + seed)
    valued = [value(world.places(rng)) for _ in range(RUNS)]
    assert [one.abstains for one in valued] == [None] * RUNS
    for estimates in (
        [one.ips for one in valued],
        [one.snips for one in valued],
        [one.dr for one in valued],
    ):
        covered = np.mean([within(one, world.true) for one in estimates])
        assert 0.95 - 4 * (0.05 * 0.95 / RUNS) ** 0.5 < covered < 0.99
        values = np.array([found(one) for one in estimates])
        assert values.mean() == pytest.approx(world.true, abs=4 * values.std() / RUNS**0.5)


def test_a_better_model_narrows_the_doubly_robust_interval() -> None:
    world = World(3)

    def width(model: NDArray[np.float64]) -> float:
        dr = value(world.places(np.random.default_rng(5), model=model)).dr
        assert dr is not None
        return dr.high - dr.low

    assert width(world.chance) < width(np.zeros_like(world.chance))


def test_with_a_perfect_model_the_doubly_robust_estimate_has_no_variance_at_all() -> None:
    world = World(4)
    world.chance[:] = world.chance[0, 0, 0]
    places = world.places(np.random.default_rng(6))
    certain = replace(places, reward=places.predicted, expected=np.full_like(places.expected, 0.25))
    valued = value(certain)
    assert valued.dr is not None
    assert (valued.dr.low, valued.dr.value, valued.dr.high) == pytest.approx(
        (0.25, 0.25, 0.25), abs=1e-12
    )
    assert valued.ips is not None
    assert valued.ips.high - valued.ips.low > 1e-3


def test_of_the_logging_policy_itself_all_agree_with_the_mean() -> None:
    places = World(5).places(np.random.default_rng(7))
    own = value(replace(places, target=places.propensity))
    assert own.logged == own.ips == own.snips
    assert own.effective == pytest.approx(len(places.reward))
    assert own.effective_users == pytest.approx(USERS)
    assert own.logged == mean(places.user, places.reward)


def test_the_estimates_by_hand() -> None:
    """Two users, three places each copied a hundred times, so that the support is enough and the
    arithmetic plain.
    """
    user = np.repeat(np.arange(100), 3)
    tile = np.tile
    places = Places(
        user,
        tile([1.0, 0.0, 0.0], 100),
        tile([1 / 2.1, 0.5, 1.0], 100),
        tile([1.0, 0.0, 1.0], 100),
        tile([0.6, 0.2, 0.9], 100),
        tile([0.7, 0.3, 0.9], 100),
    )
    valued = value(places)
    assert (found(valued.logged), found(valued.ips), found(valued.snips)) == pytest.approx(
        (1 / 3, 2.1 / 3, 2.1 / 3.1)
    )
    assert found(valued.dr) == pytest.approx((0.7 + 2.1 * 0.4 + 0.3 + 0.9 - 0.9) / 3)
    assert valued.effective == pytest.approx(310.0**2 / (100 * (2.1**2 + 1.0)))


def test_an_interval_knows_that_places_of_one_user_are_not_independent() -> None:
    """The same places, once of as many users and once all ten copies of one user: no more is known,
    so the interval stays as wide.
    """
    rng = np.random.default_rng(8)
    reward = (rng.random(200) < 0.3).astype(float)
    once, often = (
        mean(np.arange(200), reward),
        mean(np.repeat(np.arange(200), 10), np.repeat(reward, 10)),
    )
    assert once is not None
    assert often is not None
    assert often.low == pytest.approx(once.low)
    assert once.high - once.value == pytest.approx(1.959964 * reward.std(ddof=1) / 200**0.5)


def test_it_abstains_where_the_log_could_not_have_shown_it() -> None:
    places = World(6).places(np.random.default_rng(9))
    nowhere = value(replace(places, target=np.zeros_like(places.target)))
    assert nowhere.abstains == "the log could have shown 0.0% of what this policy would have shown"
    assert (nowhere.ips, nowhere.snips, nowhere.dr) == (None, None, None)
    assert nowhere.logged is not None
    half = value(replace(places, target=places.target * (np.arange(len(places.target)) % 2)))
    assert half.abstains is not None
    assert half.abstains.startswith("the log could have shown 5") or half.abstains.startswith(
        "the log could have shown 4"
    )


def test_it_abstains_where_propensities_are_not_those_of_the_lists() -> None:
    places = World(6).places(np.random.default_rng(9))
    assert "the propensities are not those" in (
        value(replace(places, propensity=places.propensity / 2)).abstains or ""
    )


def test_it_abstains_where_few_places_or_few_users_carry_the_weight() -> None:
    world = World(7)
    few = value(world.places(np.random.default_rng(10), users=8))
    assert few.abstains is not None
    assert few.abstains.startswith("the places weigh as much as")
    one_user = Places(
        *(
            np.tile(column, 60)
            for column in (np.arange(5), *(np.full(5, one) for one in (1.0, 1.0, 1.0, 0.5, 0.5)))
        )
    )
    assert (
        value(one_user).abstains
        == "the users weigh as much as 5.0 equal ones, at least 30 are needed"
    )


def test_nothing_shown_and_a_propensity_that_is_none() -> None:
    none = np.zeros(0)
    assert (
        value(Places(none.astype(np.int64), none, none, none, none, none)).abstains
        == "no place with a propensity was shown"
    )
    assert mean(none.astype(np.int64), none) is None
    one = np.ones(1)
    with pytest.raises(ValueError, match="propensities lie in"):
        value(Places(np.zeros(1, np.int64), one, 0 * one, one, one, one))
