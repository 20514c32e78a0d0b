"""One field's value in, the typed value or one reason out; no detail shows what a person wrote."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from upwell.errors import InvalidEventError
from upwell.fields import (
    Check,
    choice,
    describe,
    flag,
    label,
    listing,
    mapping,
    number,
    shorten,
    text,
    whole,
)

PERSON = "ann@example.org"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


CHECKS: list[Check] = [
    label(),
    label(5, optional=True),
    text(8),
    text(8, optional=True),
    whole(0, 9),
    number(0.5, 5),
    number(0, above=True),
    flag,
    choice(Colour),
    listing(label(), 3, least=1),
]


def refused(check: Check, value: object) -> InvalidEventError:
    with pytest.raises(InvalidEventError) as caught:
        check("field", value)
    assert "\n" not in str(caught.value)
    return caught.value


@given(JSON)
@pytest.mark.parametrize("check", CHECKS)
def test_any_json_is_taken_or_refused_with_the_field_s_name(check: Check, value: Any) -> None:
    try:
        found = check("field", value)
    except InvalidEventError as exc:
        assert exc.detail.startswith("field")  # noqa: PT017 (either outcome is right)
    else:
        assert found is None or found == value or list(found) == value


@pytest.mark.parametrize(
    ("check", "value", "reason"),
    [
        (label(), PERSON * 20, "too_long"),
        (label(), PERSON + "\x00", "bad_character"),
        (label(), [PERSON], "wrong_type"),
        (text(3), PERSON, "too_long"),
        (text(99), PERSON + "\ud800", "bad_character"),
        (choice(Colour), PERSON, "unknown_value"),
        (whole(0, 1), PERSON, "wrong_type"),
        (flag, PERSON, "wrong_type"),
        (listing(label(), 1), [PERSON, PERSON], "too_long"),
    ],
)
def test_a_refusal_shows_nothing_of_a_text(check: Check, value: object, reason: str) -> None:
    wrong = refused(check, value)
    assert wrong.reason == reason
    assert "ann@" not in str(wrong)


@pytest.mark.parametrize("value", [9_876_543_210, 98_765.5])
def test_a_number_in_place_of_an_id_is_not_shown_but_mended(value: float) -> None:
    for check in (label(), text(9)):
        wrong = refused(check, value)
        assert "9" not in str(wrong)
        assert "put the number in quotes" in wrong.detail


@pytest.mark.parametrize("empty", ["", " ", "\t\u3000"])
def test_blank_words_are_absent_only_where_they_may_be(empty: str) -> None:
    assert text(9, optional=True)("field", empty) is None
    assert refused(text(9), empty).reason == "empty"


def test_an_empty_label_is_absent_only_where_it_may_be() -> None:
    assert label(optional=True)("field", "") is None
    assert refused(label(), "").reason == "empty"
    assert label()("field", " ") == " "


@given(st.integers(-5, 15))
def test_whole_numbers_count_with_their_ends(value: int) -> None:
    if 0 <= value <= 9:
        assert whole(0, 9)("field", value) == value
    else:
        assert refused(whole(0, 9), value).reason == "out_of_range"


@pytest.mark.parametrize("value", [True, 1.0, "1", None])
def test_what_only_equals_a_whole_number_is_none(value: object) -> None:
    assert refused(whole(0, 9), value).reason == "wrong_type"


@given(st.floats() | st.integers())
def test_numbers_are_finite_and_in_range(value: float) -> None:
    if 0.5 <= value <= 5:
        found = number(0.5, 5)("field", value)
        assert (found, type(found)) == (value, float)
    else:
        wrong = refused(number(0.5, 5), value)
        finite = isinstance(value, int) or math.isfinite(value)
        assert wrong.reason == ("out_of_range" if finite else "not_finite")
        assert "at least 0.5 and at most 5 is right" in wrong.detail


def test_above_leaves_the_end_out() -> None:
    assert number(0)("field", 0) == 0.0
    assert "above 0 is right" in refused(number(0, above=True), 0).detail


@pytest.mark.parametrize("value", [0, 1, "true", None])
def test_what_only_means_true_or_false_is_no_flag(value: object) -> None:
    assert refused(flag, value).reason == "wrong_type"


def test_a_near_miss_is_told_what_was_meant() -> None:
    assert choice(Colour)("field", "red") is Colour.RED
    assert "did you mean green?" in refused(choice(Colour), "Greem").detail
    assert "did you mean" not in refused(choice(Colour), "zzz").detail


def test_a_wrong_entry_of_a_list_is_told_by_its_place() -> None:
    check = listing(whole(0, 9), 3, least=1)
    assert check("field", [1, 2]) == (1, 2)
    assert refused(check, [1, 2, "3"]).detail.startswith("field[2] is")
    assert refused(check, []).reason == "empty"
    assert refused(check, [1] * 4).reason == "too_long"
    assert refused(check, (1, 2)).reason == "wrong_type"


def test_an_object_of_names_is_in_their_order_and_a_wrong_value_is_told_by_its_place() -> None:
    check = mapping(listing(label(), 3, least=1), 2)
    assert check("field", {"b": ["1"], "a": ["2", "1"]}) == (("a", ("2", "1")), ("b", ("1",)))
    assert check("field", {}) == ()
    wrong = refused(check, {"a": ["1"], PERSON: ["1", 2]})
    assert wrong.detail.startswith(("field[0][1] is", "field[1][1] is"))
    assert "ann@" not in str(wrong)
    assert refused(check, {"a": []}).reason == "empty"
    assert refused(check, {"a": ["1"], "b": ["1"], "c": ["1"]}).reason == "too_long"
    assert refused(check, [["a", ["1"]]]).reason == "wrong_type"
    assert refused(check, {PERSON * 9: ["1"]}).reason == "too_long"


@given(JSON)
def test_any_json_is_an_object_of_names_or_refused(value: Any) -> None:
    try:
        found = mapping(whole(0, 9), 3)("field", value)
    except InvalidEventError as exc:
        assert "field" in exc.detail  # noqa: PT017 (either outcome is right)
    else:
        assert dict(found) == value


@given(JSON)
def test_a_description_is_short_whatever_it_is_of(value: Any) -> None:
    assert len(describe(value)) < 80


@given(st.integers())
def test_a_short_number_is_written_out(value: int) -> None:
    assume(len(str(value)) <= 24)
    assert shorten(value) == str(value)


@pytest.mark.parametrize("value", [10**100, -(10**5_000), -1.2345678901234567e-300], ids=type)
def test_a_long_number_is_cut(value: float) -> None:
    assert len(shorten(value)) <= 30
