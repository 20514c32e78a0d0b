"""The bench of variety, on a small shop."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace

import orjson
import pytest

from bench.uses.diversity import Tally, curve, shop, shops, told
from encoders.hashing import HashingEncoder
from upwell.settings import Settings

SETTINGS = replace(Settings(), learner=replace(Settings().learner, fused=False, explore=0.0))
SMALL = Namespace(
    batch=8,
    diversity=[4.0],
    calibration=[2.0],
    products=30,
    sizes=6,
    shop_events=120,
    seed=7,
)


def test_one_place_a_group_leaves_no_product_twice() -> None:
    found = shops(SETTINGS, HashingEncoder(32), SMALL)
    assert found.keys() == {"nothing", "stems", "groups"}
    assert found["nothing"]["repeated"] > 0.2
    assert found["groups"]["repeated"] == 0.0
    assert found["nothing"]["change"] == 0.0
    assert {one["targets"] for one in found.values()} == {96}


def test_a_curve_begins_with_none() -> None:
    made = shop(30, 2, 80, 7, grouped=False)
    found = curve(made, SETTINGS, HashingEncoder(32), SMALL)
    assert list(found) == ["none", "diversity 4", "calibration 2"]
    assert found["diversity 4"]["distance"] > found["none"]["distance"]
    assert found["calibration 2"]["divergence"] <= found["none"]["divergence"]


def test_the_same_seed_is_the_same_shop_and_a_group_is_all_that_differs() -> None:
    plain, grouped = (shop(10, 3, 20, 7, grouped=one) for one in (False, True))
    assert plain == shop(10, 3, 20, 7, grouped=False)
    assert plain.events == grouped.events
    value = orjson.loads(grouped.items[4].value)
    assert value.pop("group") == "p1"
    assert value == orjson.loads(plain.items[4].value)


def test_figures_are_paired_with_the_first() -> None:
    first, other = (
        Tally([0.0, 1.0, 1.0], [0.5], [0.1], {"a"}),
        Tally([1.0, 1.0, 1.0], [0.7], [0.1], {"a", "b"}),
    )
    found = told(other, first, 4)
    assert found["change"] == pytest.approx(1 / 3)
    assert found["interval"][0] < found["change"] < found["interval"][1]
    assert (found["coverage"], found["distance"], found["hr10"]) == (0.5, 0.7, 1.0)
