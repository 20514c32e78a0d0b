from __future__ import annotations

import pytest

from upwell.errors import SettingsError
from upwell.settings import load_settings, segment_names


def test_names_in_their_order_and_none_where_nothing_is_said() -> None:
    assert segment_names(None) == segment_names("") == ()
    assert segment_names(" women, men ,näw") == ("women", "men", "näw")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("women,,men", "a comma between two"),
        ("women,", "a comma between two"),
        ("women,other", "leave it out"),
        ("women,women", "once"),
        (",".join(f"s{n}" for n in range(9)), "at most 8"),
    ],
)
def test_what_is_wrong_ends_the_start_with_what_would_be_right(text: str, words: str) -> None:
    with pytest.raises(SettingsError, match="UPWELL_FAIR_SEGMENTS") as caught:
        load_settings({"UPWELL_FAIR_SEGMENTS": text})
    assert words in str(caught.value)


def test_a_budget_of_privacy_tells_nothing_of_segments() -> None:
    with pytest.raises(SettingsError, match="UPWELL_FAIR_SEGMENTS"):
        load_settings({"UPWELL_FAIR_SEGMENTS": "a", "UPWELL_PRIVATE_EPSILON": "8"})
