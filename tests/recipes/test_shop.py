"""The recipe `shop`: carts and purchases, stock that runs out, prices that change."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from stream.replay.recipes.folder import find
from stream.replay.recipes.recipe import Asked
from tests.recipes.streams import events_of, played, source_of
from upwell.errors import LogError
from upwell.events import Action, Click, Item, Topic


def test_it_says_that_it_is_drawn_and_a_seed_draws_the_same() -> None:
    one, same, other = (source_of("shop", seed=seed) for seed in (7, 7, 8))
    assert one.said.startswith("drawn by seed 7, nothing recorded: a shop; stock ran out ")
    assert one.records == same.records
    assert one.records != other.records


def test_what_is_sold_out_is_not_sold_until_it_is_back() -> None:
    events = events_of(source_of("shop", 5_000))
    gone: set[str] = set()
    seen = Counter[str]()
    prices: dict[str, float | None] = {}
    for one in events:
        if isinstance(one, Item):
            seen["gone"] += bool(one.deleted)
            seen["back"] += one.item_id in gone and not one.deleted
            seen["priced"] += one.item_id in prices and prices[one.item_id] != one.price
            gone.discard(one.item_id)
            gone |= {one.item_id} if one.deleted else set()
            prices[one.item_id] = one.price
        elif isinstance(one, Click) and one.action is Action.PURCHASE:
            assert one.item_id not in gone
            seen["sold"] += 1
        elif isinstance(one, Click):
            seen[str(one.action)] += 1
    assert min(seen["gone"], seen["back"], seen["priced"]) > 5
    assert seen["click"] > seen["cart"] > seen["sold"] > 100


def test_lists_are_worth_more_than_what_is_popular() -> None:
    worth = played("shop", source_of("shop"))
    assert worth["Upwell"] > worth["popular, 7 days"] > 0.0


def test_files_of_rechorus_are_read_with_their_relations(tmp_path: Path) -> None:
    rows = "\n".join(f"{n % 5 + 1}\t{n % 7 + 1}\t{1_400_000_000 + n}" for n in range(60))
    (tmp_path / "train.csv").write_text(f"user_id\titem_id\ttime\n{rows}\n")
    items = "\n".join(f"{n}\t0\t[{n % 7 + 1}]\t[]" for n in range(1, 8))
    (tmp_path / "item_meta.csv").write_text(
        f"item_id\ti_category\tr_complement\tr_substitute\n{items}\n"
    )
    source = find("shop").read(Asked(tmp_path, 40, 7))
    assert source.said == f"recorded: the first purchases in {tmp_path}"
    topics = Counter(one.topic for one in source.records)
    assert topics == {Topic.ITEMS: 7, Topic.CLICKS: 40}
    assert b'"complement":["2"]' in source.records[0].value


def test_a_folder_that_holds_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(LogError):
        find("shop").read(Asked(tmp_path / "nowhere", 40, 7))
