"""An attacker who learns from lists, on a log that is small enough to know."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.attacks.learned import Plan, Search, affordable, carried_out, climb, play_game
from bench.attacks.profiles import FAKE, START
from bench.attacks.run import Bench
from tests.bench.attacks.test_engine import FOLDER
from tests.bench.attacks.test_profiles import EVENTS, LOG, WORLD
from tests.learner.training.small import SETTINGS


@given(st.lists(st.floats(-1.0, 2.0), min_size=8, max_size=8), st.integers(1, 200))
def test_whatever_is_chosen_costs_no_more_than_the_budget_and_comes_after_the_start(
    point: list[float], budget: int
) -> None:
    plan = Plan.of(np.array(point))
    events = carried_out(LOG, WORLD, plan, "i3", budget, np.random.default_rng(1))
    values = [orjson.loads(one.value) for one in events]
    places = [n for n, one in enumerate(values) if one["event_id"].startswith(FAKE)]
    assert [one for n, one in enumerate(events) if n not in set(places)] == EVENTS
    assert len(places) <= max(budget, plan.fillers + 1)
    assert places[0] > START * len(EVENTS)
    pushes = [values[n] for n in places if values[n]["item_id"] == "i3"]
    assert len({one["user_id"] for one in pushes}) == len(pushes)
    assert len(pushes) == max(1, budget // (plan.fillers + 1))
    assert all(one["rating"] == 5.0 for one in pushes)
    assert {values[n]["rating"] for n in places} <= {5.0, plan.stars}


def test_a_plan_is_carried_out_as_it_says() -> None:
    plan = Plan(4, 1.0, 1.0, 2.5, 1.0, 0.0, 0.1, 0.0)
    events = carried_out(LOG, WORLD, plan, "i3", 50, np.random.default_rng(2))
    values = [orjson.loads(one.value) for one in events]
    fakes = [one for one in values if one["event_id"].startswith(FAKE)]
    assert fakes[-1]["item_id"] == "i3"
    shared = {f"i{n}" for n in range(0, 30, 3)}
    assert {one["item_id"] for one in fakes} <= shared
    places = [n for n, one in enumerate(values) if one["event_id"].startswith(FAKE)]
    assert max(places) < 0.5 * len(EVENTS) + 0.1 * len(EVENTS) + len(fakes)


def test_it_climbs_to_where_the_worth_is() -> None:
    search, rng = Search.first(), np.random.default_rng(3)
    target = np.linspace(0.1, 0.9, 8)
    for _ in range(30):
        points = search.drawn(24, rng)
        search, best = climb(search, points, [-float(np.abs(one - target).sum()) for one in points])
    assert np.abs(best[0] - target).max() < 0.15
    assert np.abs(best[0] - target).sum() <= np.abs(best[-1] - target).sum()


def test_a_game_has_both_sides_figures_and_the_same_seed_says_the_same() -> None:
    settings = replace(SETTINGS, test_sample=1.0)
    bench = Bench(LOG, FOLDER, WORLD, settings, 2)
    arguments = Namespace(
        defences=["none", "bounded"],
        share=0.2,
        most_loss=1.0,
        rounds=2,
        generations=1,
        tries=3,
        seed=5,
    )
    first, again = (play_game(bench, arguments, np.random.default_rng(5)) for _ in range(2))
    assert first == again
    assert [one["round"] for one in first["rounds"]] == [1, 2]
    assert first["rounds"][0]["defence"] == "none"
    for one in first["rounds"]:
        assert list(one["under"]) == first["allowed"] == ["none", "bounded"]
        assert one["under"][one["defence"]] == one["gain"] >= one["first"]
    under = first["rounds"][0]["under"]
    exposures = {name: gain for name, gain in under.items() if gain is not None}
    assert first["rounds"][1]["defence"] in exposures


@pytest.mark.parametrize(
    ("most_loss", "allowed"), [(0.0, ["a"]), (0.2, ["a", "b"]), (1.0, list("abc"))]
)
def test_a_defence_that_costs_too_much_is_none(most_loss: float, allowed: list[str]) -> None:
    class Figures:
        def __init__(self, figure: float) -> None:
            self.figure = figure

        def ndcg10(self) -> dict[str, float]:
            return {"all": self.figure}

    clean = {"a": Figures(0.5), "b": Figures(0.4), "c": Figures(0.1)}
    assert affordable(clean, most_loss) == allowed  # type: ignore[arg-type]
