"""Slips of the keyboard."""

from __future__ import annotations

import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bench.uses.typos import BESIDE, LEAST_LETTERS, slipped

TEXTS = st.one_of(
    st.text(st.sampled_from("abcdeABöß é1_,'?"), max_size=40),
    st.sampled_from(["", "oooo aaaa", "my card's PIN 4411", "ÄÖÜÖ straße", "日本語のカード"]),
)


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", text)


@given(TEXTS, st.integers(0, 3), st.integers(0, 99))
def test_so_many_words_differ_each_by_one_slip_and_never_at_its_first_letter(
    text: str, slips: int, seed: int
) -> None:
    made = slipped(text, slips, rng(seed))
    before, after = words(text), words(made)
    assert len(before) == len(after)
    changed = [(one, other) for one, other in zip(before, after, strict=True) if one != other]
    able = [one for one in before if len(one) >= LEAST_LETTERS and _slips(one)]
    assert len(changed) == min(slips, len(able))
    for one, other in changed:
        assert one[0] == other[0]
        assert other in _slips(one)


@given(TEXTS, st.integers(0, 3), st.integers(0, 99))
def test_what_is_no_letter_stays_and_a_seed_draws_the_same(
    text: str, slips: int, seed: int
) -> None:
    made = slipped(text, slips, rng(seed))
    assert re.sub(r"[^\W\d_]+", "#", made) == re.sub(r"[^\W\d_]+", "#", text)
    assert made == slipped(text, slips, rng(seed))


def test_all_four_kinds_of_slips_come() -> None:
    made = {slipped("card", 1, rng(seed)) for seed in range(200)}
    assert {"crad", "crd", "carrd", "caed", "cadr"} <= made


def test_neighbours_are_mutual() -> None:
    assert BESIDE["q"] == "w"
    assert all(letter in BESIDE[near] for letter, both in BESIDE.items() for near in both)


def _slips(word: str) -> set[str]:
    """Every word that is one slip from it, reckoned apart."""
    made = set()
    for at in range(1, len(word)):
        made.add(word[:at] + word[at + 1 :])
        made.add(word[:at] + word[at] * 2 + word[at + 1 :])
        if at + 1 < len(word):
            made.add(word[:at] + word[at + 1] + word[at] + word[at + 2 :])
        for near in BESIDE.get(word[at].lower(), ""):
            made.add(word[:at] + (near.upper() if word[at].isupper() else near) + word[at + 1 :])
    return made - {word}
