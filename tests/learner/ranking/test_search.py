"""A user's own words: the list after a search follows the intent, also where the gate has learned
nothing yet.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from learner.training.learner import Learner
from upwell.ports import RankRequest
from upwell.settings import LearnerSettings
from upwell.values import CatalogueItem, Interaction, UserState, Vector

ITEMS = 12
SETTINGS = LearnerSettings(fused=False)


def learner_of(settings: LearnerSettings) -> tuple[Learner, Vector]:
    vectors = np.random.default_rng(3).normal(size=(ITEMS, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    learner = Learner(settings, 8, settings.seed)
    learner.add_items(
        [
            CatalogueItem(
                item_id=f"i{row}", ts=0, title=f"t{row}", vector=vectors[row], revision="r"
            )
            for row in range(ITEMS)
        ]
    )
    return learner, vectors


def searched(intent: Vector) -> UserState:
    return UserState("u", intent, 1, (Interaction("q", 1, None, "query"),), events=1)


@pytest.mark.parametrize("wanted", range(ITEMS))
def test_the_list_after_a_search_is_ordered_by_its_words(wanted: int) -> None:
    learner, vectors = learner_of(SETTINGS)
    (entries,) = learner.rank(
        [RankRequest(state=searched(vectors[wanted]), k=ITEMS, words="my words")]
    )
    nearest = [f"i{row}" for row in np.argsort(-(vectors @ vectors[wanted]))]
    assert [entry.item_id for entry in entries] == nearest
    assert entries[0].reasons[0].signal == "intent"
    assert entries[0].reasons[0].because == "my words"
    for entry in entries:
        assert sum(reason.weight for reason in entry.reasons) == pytest.approx(
            entry.score, abs=1e-5
        )


def test_without_its_weight_an_untrained_gate_knows_no_order() -> None:
    learner, vectors = learner_of(replace(SETTINGS, search_weight=0.0))
    (entries,) = learner.rank([RankRequest(state=searched(vectors[3]), k=ITEMS, words="my words")])
    assert {entry.score for entry in entries} == {0.0}


@pytest.mark.parametrize(("kind", "back"), [("like", True), ("hide", False), ("report", False)])
def test_words_that_name_an_item_bring_it_back_unless_its_user_hid_it(
    kind: str, back: bool
) -> None:
    learner, vectors = learner_of(SETTINGS)
    learner.add_items(
        [
            CatalogueItem(item_id="i3", ts=0, title="solaris", vector=vectors[3], revision="r"),
        ]
    )
    done = (Interaction("e", 1, "i3", kind), Interaction("q", 2, None, "query"))
    state = replace(searched(vectors[3]), history=done, had=("i3",))
    asked = RankRequest(state=state, k=ITEMS, words="solaris")
    (without,) = learner.rank([replace(asked, words=None)])
    assert "i3" not in [entry.item_id for entry in without]
    (entries,) = learner.rank([asked])
    assert ("i3" in [entry.item_id for entry in entries]) is back


def test_a_review_that_names_what_it_is_about_does_not_bring_it_back() -> None:
    learner, vectors = learner_of(SETTINGS)
    learner.add_items(
        [CatalogueItem(item_id="i3", ts=0, title="solaris", vector=vectors[3], revision="r")]
    )
    done = (Interaction("e", 1, "i3", "review", 5.0),)
    state = replace(searched(vectors[3]), history=done, had=("i3",))
    asked = RankRequest(state=state, k=ITEMS, words="solaris")
    (named,), (reviewed,) = (learner.rank([one]) for one in (asked, replace(asked, reviewed=True)))
    assert "i3" in [entry.item_id for entry in named]
    assert "i3" not in [entry.item_id for entry in reviewed]


UNREAD = (
    "ข้าวผัดกุ้ง",
    "ต้มยำกุ้ง",
    "ผัดไทย",
    "ሰላም ልጆች",
    "የፍቅር ታሪክ",
    "ኢትዮጵያ",
    "🍕🍕",
    "🍕",
    "🎸🎺",
)


def learner_that_reads_nothing(titles: tuple[str, ...]) -> Learner:
    """The encoder knows no word of these: all vectors are equal, and so is that of the words."""
    learner = Learner(SETTINGS, 8, SETTINGS.seed)
    learner.add_items(
        [
            CatalogueItem(item_id=title, ts=0, title=title, vector=SAME, revision="r")
            for title in titles
        ]
    )
    return learner


SAME: Vector = np.eye(8, dtype=np.float32)[0]


@pytest.mark.parametrize("title", UNREAD)
def test_own_title_is_first_in_scripts_that_the_encoder_cannot_read(title: str) -> None:
    learner = learner_that_reads_nothing(UNREAD)
    (entries,) = learner.rank([RankRequest(state=searched(SAME), k=3, words=title)])
    assert entries[0].item_id == title
    assert (entries[0].reasons[0].signal, entries[0].reasons[0].because) == ("lexical", title)
    for entry in entries:
        assert sum(reason.weight for reason in entry.reasons) == pytest.approx(entry.score)


@pytest.mark.parametrize(
    ("words", "exclude", "category", "comes"),
    [
        ("oat MILK", (), None, True),
        ("milk", (), None, False),
        (None, (), None, False),
        ("oat milk", ("Oat milk",), None, False),
        ("oat milk", (), "else", False),
    ],
)
def test_what_the_user_had_comes_where_their_words_name_it(
    words: str | None, exclude: tuple[str, ...], category: str | None, comes: bool
) -> None:
    learner = learner_that_reads_nothing(("Oat milk", "Soy milk", "Bread"))
    state = replace(searched(SAME), had=("Oat milk", "Soy milk"))
    request = RankRequest(state=state, k=3, words=words, exclude=exclude, category=category)
    (entries,) = learner.rank([request])
    assert ("Oat milk" in [entry.item_id for entry in entries]) is comes
    assert "Soy milk" not in [entry.item_id for entry in entries]


def test_a_withdrawn_item_is_not_found_by_its_name() -> None:
    learner = learner_that_reads_nothing(("Oat milk", "Bread"))
    gone = CatalogueItem(
        item_id="Oat milk", ts=1, title="Oat milk", vector=SAME, revision="r", deleted=True
    )
    learner.add_items([gone])
    (entries,) = learner.rank([RankRequest(state=searched(SAME), k=3, words="oat milk")])
    assert [entry.item_id for entry in entries] == ["Bread"]
