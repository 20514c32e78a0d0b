"""A variable's text or a TOML value in, the setting's value or one line out."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upwell.errors import SettingsError
from upwell.secret import Secret
from upwell.settings.values import Field, parse


def field(kind: Any, **more: Any) -> Field:
    full = {"group": "stream", "above": 0, "below": math.inf, "hex_bytes": None, **more}
    return Field(name="one", variable="UPWELL_ONE", kind=kind, **full)


def refused(one: Field, value: object) -> str:
    with pytest.raises(SettingsError) as caught:
        parse(one, value, "UPWELL_ONE")
    said = str(caught.value)
    assert said.startswith("UPWELL_ONE is ")
    assert "\n" not in said
    return said


def test_its_key_in_the_file_has_the_group() -> None:
    assert field(int).key == "stream.one"
    assert field(int, group=None).key == "one"


@pytest.mark.parametrize("word", ["on", "ON", "true", True, "1", 1])
def test_words_for_on(word: object) -> None:
    assert parse(field(bool), word, "here") is True


@pytest.mark.parametrize("word", ["off", "Off", "false", False, "0", 0])
def test_words_for_off(word: object) -> None:
    assert parse(field(bool), word, "here") is False


@pytest.mark.parametrize("word", ["yes", "", 2, "truee", None])
def test_other_words_are_no_flag(word: object) -> None:
    assert "must be on or off" in refused(field(bool), word)


@given(st.integers(0, 10**12))
def test_a_whole_number_is_the_same_as_text_and_in_the_file(value: int) -> None:
    assert parse(field(int), str(value), "here") == parse(field(int), value, "here") == value


@given(st.floats(0, 1e300))
def test_a_number_is_the_same_as_text_and_in_the_file(value: float) -> None:
    assert parse(field(float), repr(value), "here") == parse(field(float), value, "here") == value


@pytest.mark.parametrize("value", ["1.5", 1.5, True, "", "ten", None, [1]])
def test_what_is_no_whole_number(value: object) -> None:
    assert "must be a whole number" in refused(field(int), value)


@pytest.mark.parametrize("value", [True, "", "ten", "1,5", None])
def test_what_is_no_number(value: object) -> None:
    assert "must be a number" in refused(field(float), value)


@pytest.mark.parametrize("value", ["-1", "11", "nan", "inf"])
def test_what_is_out_of_range_is_told_the_range(value: str) -> None:
    assert "must be at least 0 and at most 10" in refused(field(float, below=10), value)


def test_without_an_upper_end_only_the_lower_is_told() -> None:
    assert refused(field(int), -1).endswith("must be at least 0")


def test_one_of_some_words() -> None:
    kind = Literal["edge", "server"]
    assert parse(field(kind), "edge", "here") == "edge"
    assert "must be one of edge, server" in refused(field(kind), "Edge")


def test_what_may_be_absent_has_the_other_kind() -> None:
    assert parse(field(int | None), "7", "here") == 7
    assert parse(field(Path | None), "/x", "here") == Path("/x")


@pytest.mark.parametrize("value", [3, True, [], None])
def test_a_text_of_the_file_stands_in_quotes(value: object) -> None:
    assert "in quotes" in refused(field(str), value)


def test_an_empty_text_is_left_out() -> None:
    assert "leave it out for the default" in refused(field(str), "")


@pytest.mark.parametrize("value", ["ab" * 16, "AB" * 40])
def test_a_key_is_a_secret(value: str) -> None:
    found = parse(field(Secret, hex_bytes=16), value, "here")
    assert found.reveal() == value
    assert value not in repr(found)


@pytest.mark.parametrize("value", ["", "ab" * 15, "ab" * 16 + "a", "xy" * 16, "ab" * 16 + "\n"])
def test_a_wrong_key_is_not_shown(value: str) -> None:
    said = refused(field(Secret, hex_bytes=16), value)
    assert "32 digits or more" in said
    assert not value or value not in said
