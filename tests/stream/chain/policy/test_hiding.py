"""What a policy hides from a segment, or on a surface, is left out of their lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.chain.fold import empty_state
from stream.chain.policy.hiding import HidingRanker
from stream.chain.policy.policy import Policy, TermList
from stream.chain.policy.terms import Terms
from upwell.ports import RankRequest
from upwell.recommendations import Entry
from upwell.values import CatalogueItem, Tag

LISTS = [
    TermList("rough", Terms(["darn"]), blocks=False),
    TermList("horror", Terms([]), frozenset({"Horror"}), blocks=False),
]
SEGMENTS = {"minors": ["rough", "horror"], "mild": ["horror"]}


class Asked:
    """Keeps what it was asked."""

    version = "v"

    def __init__(self) -> None:
        self.requests: list[RankRequest] = []

    def rank(self, requests: Sequence[RankRequest]) -> list[tuple[Entry, ...]]:
        self.requests = list(requests)
        return [() for _ in requests]


def item(item_id: str, title: str = "Plain", *kinds: str) -> CatalogueItem:
    vector = np.zeros(2, np.float32)
    return CatalogueItem(
        item_id=item_id, ts=1, title=title, vector=vector, revision="r", categories=kinds
    )


def excluded(ranker: HidingRanker, asked: Asked, segments: Sequence[str]) -> set[str]:
    tags = {name: Tag(1, "e", True) for name in segments} | {"left": Tag(1, "e", False)}
    state = replace(empty_state("u", 2), tags=tags)
    ranker.rank([RankRequest(state=state, k=3, exclude=("own",))])
    assert asked.requests[0].exclude[0] == "own"
    return set(asked.requests[0].exclude[1:])


ITEMS = st.lists(
    st.builds(
        item,
        st.sampled_from("abcd"),
        st.sampled_from(["Fine", "d4rn it"]),
        st.sampled_from(["Horror", "Drama"]),
    ),
    max_size=12,
)


@given(ITEMS, st.sets(st.sampled_from(["minors", "mild", "other"])))
def test_the_newest_word_of_each_item_counts(
    items: list[CatalogueItem], segments: set[str]
) -> None:
    asked = Asked()
    ranker = HidingRanker(asked, Policy(LISTS, segments=SEGMENTS))
    ranker.know(items)
    newest = {one.item_id: one for one in items}
    horror = {name for name, one in newest.items() if "Horror" in one.categories}
    rough = {name for name, one in newest.items() if one.title == "d4rn it"}
    expected = horror | rough if "minors" in segments else horror if "mild" in segments else set()
    assert excluded(ranker, asked, sorted(segments)) == expected


def test_a_segment_that_was_left_hides_nothing() -> None:
    asked = Asked()
    ranker = HidingRanker(asked, Policy(LISTS, segments={"left": ["horror"]}))
    ranker.know([item("a", "Fine", "Horror")])
    assert excluded(ranker, asked, []) == set()


@pytest.mark.parametrize(
    ("surfaces", "surface", "hidden"),
    [
        ({"kids": ["horror"], "home": []}, "kids", {"a"}),
        ({"kids": ["horror"], "home": []}, "home", set()),
        ({"kids": ["horror"], "mail": ["rough"]}, "unknown", {"a", "b"}),
        ({"kids": ["horror"]}, None, set()),
        ({"kids": ["horror"], "": ["rough"]}, None, {"b"}),
        ({"kids": ["horror"], "": ["rough"]}, "", {"b"}),
        ({}, "kids", set()),
    ],
)
def test_what_a_surface_hides(
    surfaces: dict[str, list[str]], surface: str | None, hidden: set[str]
) -> None:
    asked = Asked()
    ranker = HidingRanker(asked, Policy(LISTS, surfaces=surfaces))
    ranker.know([item("a", "Fine", "Horror"), item("b", "Darn"), item("c")])
    ranker.rank([RankRequest(state=empty_state("u", 2), k=3, surface=surface)])
    assert set(asked.requests[0].exclude) == hidden


def test_without_segments_requests_go_on_as_they_are() -> None:
    asked = Asked()
    ranker = HidingRanker(asked, Policy(LISTS))
    ranker.know([item("a", "Fine", "Horror")])
    request = RankRequest(state=empty_state("u", 2), k=1)
    ranker.rank([request])
    assert asked.requests == [request]
    assert ranker.version == "v"
