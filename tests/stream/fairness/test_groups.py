"""Which groups are told apart: bounded, whatever a catalogue names."""

from __future__ import annotations

import numpy as np

from learner.ranking.ranking import Ranking
from stream.fairness.groups import NONE, OTHER, TOP, Bands, group_table, members
from upwell.settings import Bound, LearnerSettings
from upwell.values import CatalogueItem

VECTOR = np.array([1.0, 0.0], np.float32)


def ranking_of(*items: CatalogueItem) -> Ranking:
    ranking = Ranking(LearnerSettings(fused=False), 2)
    ranking.announce(items)
    return ranking


def item(number: int, *categories: str, **more: object) -> CatalogueItem:
    return CatalogueItem(
        item_id=f"i{number}",
        ts=number,
        title=f"t{number}",
        vector=VECTOR,
        revision="r",
        categories=categories,
        **more,  # type: ignore[arg-type]
    )


def test_ten_categories_those_that_are_bounded_and_all_others_as_one() -> None:
    items = [item(n, f"c{n // 2:02}") for n in range(40)] + [item(40, "few"), item(41)]
    ranking = ranking_of(*items)
    shown = np.ones(42)
    few = Bound("category", "few", 0.1)
    table = group_table(ranking, Bands(ranking), shown, [few, Bound("category", "nobody", 0.1)])
    assert len(table["category"]) == TOP + 3
    assert table["category"].keys() == {*(f"c{n:02}" for n in range(10)), "few", OTHER, NONE}
    assert table["category"][OTHER]["catalogue"] == 20 / 42
    assert table["category"][NONE]["exposure"] == 1 / 42
    assert table["brand"] == {}


def test_an_item_of_two_categories_counts_in_each() -> None:
    ranking = ranking_of(item(0, "a", "b"), item(1, "a"))
    table = group_table(ranking, Bands(ranking), np.array([3.0, 1.0]), [])
    assert {name: one["exposure"] for name, one in table["category"].items()} == {
        "a": 1.0,
        "b": 0.75,
    }


def test_what_may_not_stand_in_a_list_is_left_out() -> None:
    ranking = ranking_of(item(0, "a", brand="x"), item(1, "a", brand="x", deleted=True))
    bands = Bands(ranking)
    for by, group in (
        ("category", "a"),
        ("brand", "x"),
        ("newness", "new"),
        ("popularity", "tail"),
    ):
        assert members(ranking, bands, Bound(by, group, 0.1)).tolist() == [True, False]
    table = group_table(ranking, bands, np.array([1.0, 5.0]), [])
    assert table["brand"]["x"]["exposure"] == table["category"]["a"]["catalogue"] == 1.0


def test_a_catalogue_without_an_item_has_no_share() -> None:
    ranking = ranking_of()
    table = group_table(ranking, Bands(ranking), np.zeros(0), [])
    assert table["category"] == table["brand"] == {}
    assert set(table["popularity"]["tail"].values()) == {None}
    assert not members(ranking, Bands(ranking), Bound("brand", "x", 0.1)).any()


def test_a_brand_that_a_later_announcement_changes_is_the_new_one() -> None:
    ranking = ranking_of(item(0, brand="x"), item(1, brand="y"))
    ranking.announce([item(0, brand="y")])
    bands = Bands(ranking)
    assert members(ranking, bands, Bound("brand", "y", 0.1)).tolist() == [True, True]
    assert not members(ranking, bands, Bound("brand", "x", 0.1)).any()


def test_a_category_beyond_the_eighth_of_an_item_is_not_its_group() -> None:
    many = tuple(f"c{n}" for n in range(9))
    ranking = ranking_of(item(0, *many), item(1, "c8", "c8"))
    bands = Bands(ranking)
    assert members(ranking, bands, Bound("category", "c7", 0.1)).tolist() == [True, False]
    assert members(ranking, bands, Bound("category", "c8", 0.1)).tolist() == [False, True]
