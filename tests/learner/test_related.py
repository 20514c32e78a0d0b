"""What relations between items do to lists: learned from a log in which people go on to what is
related, they place an item that nobody met.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest

from learner.training.learner import Learner
from tests.learner.training.small import DIMENSION, SETTINGS, catalogue
from upwell.ports import RankRequest
from upwell.values import CatalogueItem, Example, Interaction, UserState

PAIRS = 60
EVENTS = 400


def related_catalogue() -> list[CatalogueItem]:
    """Each even item names the next one as what goes with it."""
    items = catalogue(2 * PAIRS)
    return [
        replace(one, relations=(("goes_with", (f"i{number + 1}",)),)) if number % 2 == 0 else one
        for number, one in enumerate(items)
    ]


def bought(user: str, item: str, offset: int, before: tuple[Interaction, ...]) -> Example:
    event = Interaction(f"e{offset}", offset, item, "purchase", None, "clicks-0", offset)
    return Example(
        source="clicks-0",
        offset=offset,
        user=user,
        event=event,
        history=before,
        intent=None,
        user_events=len(before),
        tested=True,
        had=tuple(str(one.item_id) for one in before),
    )


def learned(items: list[CatalogueItem]) -> Learner:
    """Of people who buy an even item, then what goes with it."""
    learner = Learner(SETTINGS, DIMENSION, 1)
    learner.add_items(items)
    rng = np.random.default_rng(5)
    past: dict[str, tuple[Interaction, ...]] = defaultdict(tuple)
    for offset in range(0, EVENTS, 2):
        user, pair = f"u{rng.integers(40)}", int(rng.integers(PAIRS - 1))
        for step in (0, 1):
            example = bought(user, f"i{2 * pair + step}", offset + step, past[user])
            learner.learn([example])
            past[user] += (example.event,)
    return learner


def listed(learner: Learner, item: str) -> dict[str, tuple[str | None, ...]]:
    """Of somebody who had this item alone: by id what its reasons are because of."""
    event = Interaction("x", 10**6, item, "purchase", None, "clicks-0", 10**6)
    state = UserState("new", np.zeros(DIMENSION, np.float32), 0, (event,), had=(item,))
    [entries] = learner.rank([RankRequest(state=state, k=5)])
    return {
        one.item_id: tuple(reason.because for reason in one.reasons if "relation" in reason.signal)
        for one in entries
    }


@pytest.fixture(scope="module")
def taught() -> Learner:
    return learned(related_catalogue())


def test_what_goes_with_an_item_nobody_met_stands_first_and_names_it(taught: Learner) -> None:
    unmet = f"i{2 * PAIRS - 2}"  # of the pair that nobody bought
    found = listed(taught, unmet)
    assert next(iter(found)) == f"i{2 * PAIRS - 1}"
    assert f"Title {2 * PAIRS - 2}" in found[f"i{2 * PAIRS - 1}"]


def test_an_item_announced_later_is_placed_by_what_it_names(taught: Learner) -> None:
    new = replace(catalogue(1)[0], item_id="new", relations=(("goes_with", ("i0",)),))
    taught.add_items([new])
    assert "new" in listed(taught, "i0")
    taught.add_items([replace(new, relations=())])
    assert "new" not in listed(taught, "i0")


def test_without_relations_nothing_is_said_of_them() -> None:
    learner = learned(catalogue(2 * PAIRS))
    assert not any(listed(learner, f"i{2 * PAIRS - 2}").values())


def test_a_value_that_both_share_places_an_item_nobody_met_and_a_reason_names_it() -> None:
    items = [
        replace(one, values=(("series", (f"s{number // 2}",)),))
        for number, one in enumerate(catalogue(2 * PAIRS))
    ]
    learner = learned(items)
    last = 2 * PAIRS - 2
    event = Interaction("x", 10**6, f"i{last}", "purchase", None, "clicks-0", 10**6)
    state = UserState("new", np.zeros(DIMENSION, np.float32), 0, (event,), had=(f"i{last}",))
    [[first, *_]] = learner.rank([RankRequest(state=state, k=5)])
    assert first.item_id == f"i{last + 1}"
    [told] = [one for one in first.reasons if one.signal == "relations"]
    assert (told.because, told.relation, told.value) == (
        f"Title {last}",
        "series",
        f"s{PAIRS - 1}",
    )
    [[named, *_]] = learned(related_catalogue()).rank([RankRequest(state=state, k=5)])
    [told] = [one for one in named.reasons if one.signal == "relations"]
    assert (told.relation, told.value) == ("goes_with", None)
