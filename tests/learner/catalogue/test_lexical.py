"""Titles that are written like a query, in any script."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.catalogue import lexical
from learner.catalogue.lexical import NAMED, LexicalIndex

TITLES = (
    "ข้าวผัดกุ้ง",
    "ต้มยำกุ้ง",
    "ผัดไทย",
    "ሰላም ልጆች",
    "የፍቅር ታሪክ",
    "ኢትዮጵያ",
    "🍕🍕",
    "🍕",
    "❤️",
    "Harry Potter and the Goblet of Fire",
    "Harry Potter and the Chamber of Secrets",
    "Ｏａｔ Milk 1 L",
)


def index_of(*titles: str) -> LexicalIndex:
    index = LexicalIndex()
    for row, title in enumerate(titles):
        index.put(row, title)
    return index


@pytest.mark.parametrize("row", range(len(TITLES)))
def test_an_exact_title_is_found_first_in_any_script(row: int) -> None:
    found = index_of(*TITLES).search(TITLES[row], 3)
    assert found[0][0] == row
    assert found[0][1] == pytest.approx(1.0)
    assert all(likeness < NAMED for _, likeness in found[1:])


@pytest.mark.parametrize("words", ["oat milk 1 l", "OAT  MILK 1 L\n", "Oat Milk 1 Ｌ"])
def test_width_case_and_spaces_do_not_matter(words: str) -> None:
    ((row, likeness),) = index_of(*TITLES).search(words, 1)
    assert TITLES[row] == "Ｏａｔ Milk 1 L"
    assert likeness == pytest.approx(1.0)


def test_of_a_title_misspelt_the_likeness_is_less_and_it_is_still_first() -> None:
    ((row, likeness),) = index_of(*TITLES).search("Hary Poter gobblet of fire", 1)
    assert TITLES[row] == "Harry Potter and the Goblet of Fire"
    assert 0.2 < likeness < NAMED


@pytest.mark.parametrize("words", ["", "   ", "\ufe0f", "zzqq"])
def test_words_that_no_title_shares_a_letter_pair_with_find_nothing(words: str) -> None:
    assert index_of(*TITLES).search(words, 3) == []


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.none() | st.sampled_from(TITLES) | st.text(max_size=8)),
        max_size=60,
    ),
    st.sampled_from(TITLES),
)
def test_after_any_changes_it_finds_what_an_index_of_the_last_titles_finds(
    changes: list[tuple[int, str | None]], words: str
) -> None:
    index, last = LexicalIndex(), dict(changes)
    for row, title in changes:
        index.put(row, title)
    anew = LexicalIndex()
    for row, title in last.items():
        anew.put(row, title)
    assert index.search(words, 6) == anew.search(words, 6)


def test_postings_do_not_grow_with_titles_that_were_replaced() -> None:
    index = LexicalIndex()
    for turn in range(500):
        index.put(0, f"title number {turn:03d}")
    kept = sum(len(posting) for posting in index._postings.values())
    assert kept <= 2 * lexical.CHARACTERS + 100


def test_a_query_visits_its_rarest_pairs_first_and_so_many_postings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lexical, "POSTINGS", 40)
    index = index_of(*(f"common words {row:03d}" for row in range(300)), "common zebra")
    assert index.search("common zebra", 1)[0][0] == 300
