"""Lists and dead letters to bytes and back."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from upwell.codec import (
    KEPT_BYTES,
    confirmation_value,
    dead_letter_value,
    parse_confirmation,
    parse_dead_letter,
    parse_recommendations,
    recommendations_value,
)
from upwell.errors import InvalidEventError
from upwell.recommendations import Confirmation, DeadLetter, Entry, Reason, Recommendations

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
numbers = st.floats(allow_nan=False, allow_infinity=False)
whole = st.integers(0, 2**53)
reasons = st.lists(
    st.builds(Reason, signal=texts, weight=numbers, because=st.none() | texts), max_size=3
).map(tuple)
entry = st.builds(
    Entry,
    item_id=texts,
    score=numbers,
    reasons=reasons,
    title=st.none() | texts,
    propensity=st.floats(0.001, 1),
    explored=st.booleans(),
)
entries = st.lists(entry, max_size=3).map(tuple)
lists = st.builds(
    Recommendations,
    list_id=texts,
    user_id=texts,
    items=entries,
    model_version=texts,
    trigger=texts,
    covers=st.dictionaries(texts, whole, max_size=3),
    ts=whole,
    latency_ms=whole,
)
letters = st.builds(
    DeadLetter,
    reason=texts,
    detail=texts,
    topic=texts,
    partition=whole,
    offset=whole,
    raw=st.binary(),
    ts=whole,
    user=st.none() | texts,
)


confirmations = st.builds(
    Confirmation,
    user_id=texts,
    event_id=texts,
    removed=st.dictionaries(texts, whole, max_size=3),
    remains=st.lists(texts, max_size=3).map(tuple),
    ts=whole,
)


@given(confirmations)
def test_confirmations_survive(confirmation: Confirmation) -> None:
    assert parse_confirmation(confirmation_value(confirmation)) == confirmation


@given(st.binary(max_size=40) | st.just(b'{"remains": 3}'))
def test_what_is_no_confirmation_is_said(raw: bytes) -> None:
    with pytest.raises(InvalidEventError, match="confirmations"):
        parse_confirmation(raw)


@given(lists)
def test_lists_survive(recommendations: Recommendations) -> None:
    assert parse_recommendations(recommendations_value(recommendations)) == recommendations


@given(letters)
def test_dead_letters_survive(letter: DeadLetter) -> None:
    assert parse_dead_letter(dead_letter_value(letter)) == letter


def test_a_dead_letter_of_a_huge_value_still_fits_a_record() -> None:
    letter = DeadLetter(
        reason="too_large",
        detail="big",
        topic="clicks",
        partition=0,
        offset=1,
        raw=b"\x00" * (2 << 20),
        ts=1,
    )
    value = dead_letter_value(letter)
    assert len(value) < 1_000_000
    back = parse_dead_letter(value)
    assert back.raw == letter.raw[:KEPT_BYTES]
    assert back.detail == "big (raw has the first 524,288 of 2,097,152 bytes)"


def test_fields_of_a_newer_version_are_left_out() -> None:
    reason = Reason(signal="text", weight=1.0, because="words")
    entry = Entry(item_id="i", score=1.0, reasons=(reason,))
    expected = Recommendations(
        list_id="l",
        user_id="u",
        items=(entry,),
        model_version="1",
        trigger="e",
        covers={"clicks-0": 4},
        ts=1,
        latency_ms=2,
    )
    value = orjson.loads(recommendations_value(expected))
    for inner in (value, value["items"][0], value["items"][0]["reasons"][0]):
        inner["new"] = 1
    for optional in ("title", "propensity", "explored"):
        del value["items"][0][optional]
    assert parse_recommendations(orjson.dumps(value)) == expected


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"items":[1]}', b'{"raw":"%%%"}', b"\xff"])
def test_what_is_none_of_them_is_told(raw: bytes) -> None:
    for parse in (parse_recommendations, parse_dead_letter):
        with pytest.raises(InvalidEventError, match="unreadable"):
            parse(raw)
