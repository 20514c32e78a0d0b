"""Items like an item, against the same by hand: from who liked what, and from the vectors."""

from __future__ import annotations

import numpy as np
import pytest

from learner.counts.similar import PRIOR_PEOPLE, TEXT_WEIGHT, similar_rows
from learner.training.learner import Learner
from tests.learner.training.small import ITEMS, catalogue, learner_of
from upwell.values import Example, Interaction

LIKES = {"u0": [3, 8], "u1": [3, 8], "u2": [8, 3], "u3": [3, 8, 5], "u4": [8], "u5": [5], "u6": []}
DISLIKES = {"u6": [3, 9]}


def examples() -> list[Example]:
    """Each user's ratings, one after the other; nobody comes back to an item."""
    found: list[Example] = []
    for stars, said in ((5.0, LIKES), (1.0, DISLIKES)):
        for user, items in said.items():
            past: list[Interaction] = []
            for item in items:
                offset = len(found)
                event = Interaction(
                    f"e{offset}", offset, f"i{item}", "review", stars, "reviews-0", offset
                )
                found.append(
                    Example(
                        source="reviews-0",
                        offset=offset,
                        user=user,
                        event=event,
                        history=tuple(past),
                        intent=None,
                        user_events=len(past),
                        tested=False,
                    )
                )
                past.append(event)
    return found


LEARNER = learner_of(examples())


def found_for(
    item: int, k: int = ITEMS, learner: Learner = LEARNER
) -> list[tuple[str, float, float]]:
    ranking = learner.ranking
    row = ranking.catalogue.row(f"i{item}")
    assert row is not None
    found = similar_rows(ranking.state(), row, ranking.catalogue.allowed, k)
    return [(ranking.catalogue.ids[other], liked, text) for other, liked, text in found]


def likers(item: int) -> set[str]:
    return {user for user, items in LIKES.items() if item in items}


@pytest.mark.parametrize("item", [3, 8, 5])
def test_the_share_of_people_is_the_shrunken_cosine_of_who_liked_both(item: int) -> None:
    shares = {other: liked for other, liked, _ in found_for(item) if liked}
    expected = {
        f"i{other}": len(likers(item) & likers(other))
        / float(np.sqrt((len(likers(item)) + PRIOR_PEOPLE) * (len(likers(other)) + PRIOR_PEOPLE)))
        for other in (3, 8, 5)
        if other != item and likers(item) & likers(other)
    }
    assert shares == pytest.approx(expected, rel=1e-2)  # what was liked fades a little, by events


@pytest.mark.parametrize("item", [0, 3, 9, 119])
def test_the_share_of_text_is_of_the_cosine_and_the_order_is_by_the_sum(item: int) -> None:
    vectors = {one.item_id: one.vector for one in catalogue()}
    found = found_for(item)
    assert len(found) > ITEMS // 3
    assert f"i{item}" not in [other for other, _, _ in found]
    sums = [liked + text for _, liked, text in found]
    assert sums == sorted(sums, reverse=True)
    for other, _, text in found:
        cosine = float(vectors[f"i{item}"] @ vectors[other])
        assert text == pytest.approx(TEXT_WEIGHT * max(cosine, 0.0), abs=1e-5)


def test_what_the_same_people_liked_comes_before_what_only_reads_alike() -> None:
    assert found_for(3, 1)[0][0] == "i8"
    assert "i8" not in [other for other, _, _ in found_for(3, 1, learner_of([]))]


def test_an_item_that_nobody_liked_is_found_by_its_text() -> None:
    found = found_for(9, 3)
    assert len(found) == 3
    assert all(liked == 0.0 < text for _, liked, text in found)


def test_what_may_not_be_shown_never_comes() -> None:
    ranking = LEARNER.ranking
    row, allowed = ranking.catalogue.row("i3"), ranking.catalogue.in_category("odd")
    assert row is not None
    found = similar_rows(ranking.state(), row, allowed, 50)
    assert found
    assert all(int(ranking.catalogue.ids[other][1:]) % 2 for other, _, _ in found)
    assert similar_rows(ranking.state(), row, np.zeros_like(allowed), 50) == []


@pytest.mark.parametrize("k", [0, 1, 7])
def test_so_many_at_most(k: int) -> None:
    assert len(found_for(0, k)) == k
