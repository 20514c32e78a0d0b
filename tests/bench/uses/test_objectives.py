"""The bench of objectives, on a small drawn shop."""

from __future__ import annotations

from argparse import Namespace

import numpy as np
import pytest

from bench.uses.objectives import FOLLOWS, KINDS, PLACES, Market, curve, drawn_shop, told

SMALL = Namespace(items=120, users=16, visits=9, pool=12, by_lot=0.9, seed=7, weights=[8.0])


def test_a_weight_brings_purchases_and_each_setting_sees_the_same_lists() -> None:
    found = curve(SMALL)
    plain, heavy = found["clicks alone"], found["purchase=8"]
    assert list(found)[:2] == ["clicks alone", "purchase=8"]
    assert heavy["purchases"] > 1.05 * plain["purchases"]
    assert found["dwell=4"]["dwells"] > plain["dwells"]
    assert found["return=4"]["returns"] > plain["returns"]
    assert len({one["lists"] for one in found.values()}) == 1


def test_the_same_seed_is_the_same_shop_with_chances_that_differ_by_item() -> None:
    one, two = (drawn_shop(50, 9, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(one.follow, two.follow)
    assert one.follow.shape == (50, len(FOLLOWS))
    assert ((one.follow >= 0.0) & (one.follow <= 1.0)).all()
    assert one.follow[:, 0].std() > 0.1
    assert (one.likes.sum(axis=1) == 3).all()
    assert one.likes.shape == (9, len(KINDS))


def test_what_is_liked_and_stands_first_is_clicked_more() -> None:
    shop = drawn_shop(20, 3, np.random.default_rng(3))
    chances = shop.clicked(0, [4] * PLACES)
    assert (np.diff(chances) < 0.0).all()
    liked = [int(row) for row in range(20) if shop.likes[0, shop.kinds[row]]]
    other = [int(row) for row in range(20) if not shop.likes[0, shop.kinds[row]]]
    mean = [np.mean([shop.clicked(0, [row])[0] for row in rows]) for rows in (liked, other)]
    assert mean[0] > mean[1]


def test_what_the_log_says_is_near_the_truth() -> None:
    """Of the list for clicks alone, by lists that were drawn from its best."""
    shop = drawn_shop(150, 40, np.random.default_rng(5))
    market = Market(shop, {"clicks alone": None}, 12, 1.0, 5)
    for number in range(16):
        for user in range(40):
            market.visit(user, number >= 4)
    found = told(market, "clicks alone")
    assert found["abstains"] is None
    assert found["covered"] == pytest.approx(1.0, abs=0.15)
    value, low, high = found["snips"]
    assert low < found["purchases"] < high
    assert value == pytest.approx(found["purchases"], rel=0.35)
