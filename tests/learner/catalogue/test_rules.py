"""Rules over a catalogue, against its items one by one."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from learner.catalogue.catalogue import Catalogue
from learner.catalogue.rules import Occasion, RuleTable
from upwell.knowledge import Rule
from upwell.values import CatalogueItem

JULY = round(datetime(2026, 7, 3, tzinfo=UTC).timestamp() * 1000)
SKATES, SHOES, FILM = "skates", "shoes", "film"


def item(
    item_id: str, categories: tuple[str, ...] = (), season: str | None = None, banned: bool = False
) -> CatalogueItem:
    return CatalogueItem(
        item_id=item_id,
        ts=0,
        title=item_id,
        vector=np.ones(2, np.float32),
        revision="r",
        categories=categories,
        values=() if season is None else (("season", (season,)),),
        banned=banned,
    )


ITEMS = (
    item(SKATES, ("Sport",), "winter"),
    item(SHOES, ("Sport", "Kids")),
    item(FILM, ("Adult",)),
    item("gone", ("Sport",), banned=True),
)
SUMMER = Rule(rule_id="summer", relation="season", value="winter", months=(6, 7, 8))
NEVER = Rule(rule_id="never", category="Adult")
KIDS = Rule(rule_id="kids", category="Sport", within="Kids")


def table(*rules: Rule) -> tuple[RuleTable, Catalogue]:
    catalogue = Catalogue(2)
    catalogue.announce(ITEMS)
    found = RuleTable(catalogue)
    found.put({rule.rule_id: rule for rule in rules})
    return found, catalogue


def left(rules: RuleTable, catalogue: Catalogue, *occasion: object) -> list[str]:
    mask = rules.allowed(occasion)  # type: ignore[arg-type]
    return [name for row, name in enumerate(catalogue.ids) if mask[row]]


def test_without_rules_all_that_is_allowed_stands_and_nothing_is_copied() -> None:
    rules, catalogue = table()
    masks, which = rules.masks([(None, None), (None, JULY)])
    assert np.shares_memory(masks, catalogue.allowed)
    assert which.tolist() == [0, 0]
    assert left(rules, catalogue, "Kids", JULY) == [SHOES]


def test_a_rule_of_a_value_holds_in_its_months() -> None:
    rules, catalogue = table(SUMMER)
    assert left(rules, catalogue, None, JULY) == [SHOES, FILM]
    assert left(rules, catalogue, None, 0) == [SKATES, SHOES, FILM]
    assert left(rules, catalogue, None, None) == [SKATES, SHOES, FILM]
    assert catalogue.allowed[:4].tolist() == [True, True, True, False]


def test_a_rule_of_a_category_holds_always_or_within_one() -> None:
    rules, catalogue = table(NEVER, KIDS)
    assert left(rules, catalogue, None, JULY) == [SKATES, SHOES]
    assert left(rules, catalogue, "Adult", JULY) == []
    assert left(rules, catalogue, "Kids", JULY) == []
    assert left(rules, catalogue, "Sport", JULY) == [SKATES, SHOES]


def test_a_later_rule_replaces_one_of_its_id_and_nothing_takes_it_back() -> None:
    rules, catalogue = table(NEVER)
    rules.put({"never": Rule(rule_id="never", category="Sport"), "unknown": None})
    assert left(rules, catalogue, None, None) == [FILM]
    rules.put({"never": None})
    assert left(rules, catalogue, None, None) == [SKATES, SHOES, FILM]
    assert rules.rules == {}


def test_an_item_that_comes_later_or_changes_is_heeded_once_rules_are_stale() -> None:
    rules, catalogue = table(SUMMER)
    assert left(rules, catalogue, None, JULY) == [SHOES, FILM]
    catalogue.announce([item(SKATES), item("sled", (), "winter")])
    rules.stale()
    assert left(rules, catalogue, None, JULY) == [SKATES, SHOES, FILM]


occasions = st.tuples(
    st.none() | st.sampled_from(["Sport", "Kids", "Adult", "nowhere"]),
    st.none() | st.sampled_from([0, JULY]),
)


@given(st.sets(st.sampled_from([SUMMER, NEVER, KIDS])), st.lists(occasions, min_size=1, max_size=6))
def test_masks_are_those_of_each_item_by_itself(rules: set[Rule], some: list[Occasion]) -> None:
    found, _ = table(*rules)
    masks, which = found.masks(some)
    about = {"summer": {SKATES}, "never": {FILM}, "kids": {SKATES, SHOES, "gone"}}
    for place, (category, at) in enumerate(some):
        holding = [about[rule.rule_id] for rule in rules if rule.holds(at, category)]
        out = set[str]().union(*holding)
        for row, one in enumerate(ITEMS):
            within = category is None or category in one.categories
            stands = one.available and within and one.item_id not in out
            assert masks[which[place], row] == stands
