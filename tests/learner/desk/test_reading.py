"""Whether a question is in words that are known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.desk.ngrams import words_of
from learner.desk.reading import reads

KNOWN = ("Where is my card?", "my new card has not come")
TEXTS = st.text(st.sampled_from("abä ¿?"), max_size=12)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("where is the new card", True),
        ("Where, where, WHERE?", True),
        ("whre is my card", True),
        ("card tracking", True),
        ("card tracking number", False),
        ("¿Cuándo llega mi tarjeta?", False),
        ("カードはどこですか", False),
        ("", False),
        ("?!", False),
    ],
)
def test_half_of_its_words_are_enough(text: str, read: bool) -> None:
    assert reads(text, KNOWN) == read


@given(TEXTS, st.lists(TEXTS))
def test_it_is_the_share_of_its_different_words(text: str, known: list[str]) -> None:
    words = set(words_of(text))
    there = words & {word for one in known for word in words_of(one)}
    assert reads(text, known) == (bool(words) and len(there) >= len(words) / 2)


@given(TEXTS, st.lists(TEXTS), TEXTS)
def test_what_was_read_is_read_when_more_is_known(text: str, known: list[str], more: str) -> None:
    assert reads(text, [*known, more]) >= reads(text, known)
