from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upwell.errors import SettingsError
from upwell.settings import Bound, exposure_bounds, load_settings


def test_unset_there_is_no_bound() -> None:
    assert exposure_bounds(None) == ()


def test_several_with_words_as_they_are_in_the_catalogue() -> None:
    text = "popularity:tail>=0.2; category: Home, Garden & 家 >= .05;brand:a:b>=0.1"
    assert exposure_bounds(text) == (
        Bound("popularity", "tail", 0.2),
        Bound("category", "Home, Garden & 家", 0.05),
        Bound("brand", "a:b", 0.1),
    )


@given(
    st.text(st.characters(exclude_characters=";"), min_size=1).filter(
        lambda text: text == text.strip() and ">=" not in text
    ),
    st.integers(1, 99),
)
def test_any_word_of_a_catalogue_without_a_semicolon_can_be_bounded(word: str, part: int) -> None:
    least = part / 100
    assert exposure_bounds(f"category:{word}>={least}") == (Bound("category", word, least),)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tail>=0.2", "must be as popularity:tail>=0.2"),
        ("popularity:tail>0.2", "must be as popularity:tail>=0.2"),
        ("popularity:tail>=", "must be as popularity:tail>=0.2"),
        ("popularity:tail>=nan", "must be as popularity:tail>=0.2"),
        ("popularity:tail>=0.2;", "must be as popularity:tail>=0.2"),
        ("popularity:low>=0.2", "must be one of head, mid, tail"),
        ("newness:tail>=0.2", "must be one of new, recent, old"),
        ("genre:Documentary>=0.2", "must be one of popularity, newness, category, brand"),
        ("category:Documentary>=0", "must be above 0 and below 1"),
        ("category:Documentary>=1.0", "must be above 0 and below 1"),
        ("category:Documentary>=20", "must be above 0 and below 1"),
        ("category:a>=0.2;category:a>=0.3", "category:a twice"),
        ("popularity:tail>=0.6;popularity:mid>=0.4", "must sum to less than 1"),
        (";".join(f"category:c{n}>=0.1" for n in range(9)), "must be at most 8"),
    ],
)
def test_what_is_wrong_is_said_with_what_would_be_right(text: str, words: str) -> None:
    with pytest.raises(SettingsError, match="UPWELL_EXPOSURE") as caught:
        exposure_bounds(text)
    assert words in str(caught.value)


def test_a_wrong_one_ends_the_start() -> None:
    with pytest.raises(SettingsError, match="must be one of head, mid, tail"):
        load_settings({"UPWELL_EXPOSURE": "popularity:low>=0.2"})
    settings = load_settings({"UPWELL_EXPOSURE": "popularity:tail>=0.2"})
    assert exposure_bounds(settings.stream.exposure) == (Bound("popularity", "tail", 0.2),)
