"""Groups of questions that no template fits."""

from __future__ import annotations

import numpy as np

from learner.desk.groups import BEGINS, Groups, Offer, Unfit
from tests.learner.desk.asking import DIMENSION, vector

NEAR = 0.6


def made(usual: int = 30) -> Groups:
    groups = Groups(np.zeros((0, DIMENSION), np.float32))
    for number in range(usual):
        groups.heard(f"where is my parcel number {number}")
    return groups


def add(
    groups: Groups, topic: int, number: int, text: str | None = None, by: str = "ann"
) -> Offer | None:
    asked = text or f"can my parrot fly{number}"
    return groups.add(Unfit(f"{topic}-{number}", asked, by), vector(topic, number, 0.1), NEAR)


def test_it_is_offered_when_it_begins_and_each_time_it_has_doubled() -> None:
    groups = made()
    offers = [add(groups, 1, number) for number in range(4 * BEGINS)]
    sizes = [one.size for one in offers if one is not None]
    assert sizes == [BEGINS, 2 * BEGINS, 4 * BEGINS]


def test_its_name_is_of_words_that_are_not_usual() -> None:
    groups = made()
    *_, offer = (add(groups, 1, number) for number in range(BEGINS))
    assert offer is not None
    assert "parrot" in offer.name.split()
    assert "my" not in offer.name.split()
    assert len(offer.examples) == BEGINS


def test_questions_that_are_far_from_each_other_make_no_group() -> None:
    groups = made()
    assert [add(groups, topic, 0, f"about {topic}") for topic in range(12)] == [None] * 12
    assert len(groups.waiting) == 12


def test_the_same_words_again_count_once_whoever_says_them() -> None:
    groups = made()
    for number in range(3 * BEGINS):
        assert add(groups, 1, number, "Can my parrot fly?", f"u{number}") is None
    assert len(groups.waiting) == 1


def test_who_is_forgotten_is_in_none() -> None:
    groups = made()
    for number in range(BEGINS):
        add(groups, 1, number, by="bob" if number < 2 else "ann")
    add(groups, 2, 0, by="bob")
    assert groups.remove(lambda one: one.by == "bob") == 3
    assert {one.by for one in groups.groups[0].members} == {"ann"}
    assert len(groups.groups[0].vectors) == BEGINS - 2
    assert groups.waiting == []
    assert groups.remove(lambda one: one.by == "ann") == BEGINS - 2
    assert groups.groups == []


def test_a_number_is_never_given_again() -> None:
    groups = made()
    for number in range(BEGINS):
        add(groups, 1, number)
    groups.answered(vector(1)[None], NEAR)
    assert groups.groups == []
    for number in range(BEGINS):
        add(groups, 2, number)
    assert [one.number for one in groups.groups] == [2]
