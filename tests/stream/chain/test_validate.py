"""Bytes in, events or dead letters out: never an exception."""

from __future__ import annotations

import re
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.chain.validate import MAX_VALUE_BYTES, REASONS, decode
from tests.upwell.strategies import NOW_MS, events
from upwell.events import Event, Review, Topic, type_of_topic
from upwell.recommendations import DeadLetter
from upwell.schema import event_value, topic_of

GOOD = (
    b'{"event_id":"e1","ts":1700000000000,"user_id":"ann","item_id":"i1","rating":4,"text":"fine"}'
)


def changed(old: bytes, new: bytes) -> bytes:
    assert old in GOOD
    return GOOD.replace(old, new)


BAD: list[tuple[str, bytes | None, str, str]] = [
    ("a tombstone", None, "tombstone", "no value"),
    ("nothing", b"", "empty", "JSON object is needed"),
    ("white space", b" \r\n", "empty", "white space"),
    ("a byte-order mark", b"\xef\xbb\xbf" + GOOD, "byte_order_mark", "byte-order mark (EF BB BF)"),
    ("UTF-16", GOOD.decode().encode("utf-16"), "not_utf8", "UTF-16"),
    ("invalid UTF-8", changed(b"fine", b"f\xffne"), "not_utf8", "0xFF"),
    ("Latin-1", changed(b"fine", "é la".encode("latin-1")), "not_utf8", "0xE9"),
    ("NaN", changed(b":4,", b":NaN,"), "not_finite", "NaN at character"),
    ("Infinity", changed(b":4,", b":Infinity,"), "not_finite", "Infinity"),
    ("-Infinity", changed(b":4,", b":-Infinity,"), "not_finite", "Infinity"),
    ("a number beyond floats", changed(b":4,", b":1e999,"), "not_finite", "too large"),
    ("cut short", GOOD[:-1], "truncated", "ends in the middle"),
    ("cut in a string", GOOD[:-3], "truncated", "ends in the middle"),
    ("cut in a character", '{"text":"é'.encode()[:-1], "truncated", "middle of a character"),
    ("broken JSON", changed(b'"ts":', b'"ts"='), "bad_json", "at character"),
    ("single quotes", b"{'ts': 1}", "bad_json", "no JSON at character 1"),
    ("two documents", GOOD + GOOD, "bad_json", "no JSON"),
    ("deeply nested", b"[" * 100_000, "too_deep", "nested"),
    (
        "deep in an unknown field",
        changed(b'"fine"', b"[" * 5_000 + b"]" * 5_000),
        "too_deep",
        "nested",
    ),
    ("half a surrogate pair", changed(b"fine", b"\\ud800"), "bad_character", "half a character"),
    ("megabytes", changed(b"fine", b"x" * (2 << 20)), "too_large", "2,09"),
    ("long text", changed(b"fine", b"x" * 20_001), "too_long", "20,001 characters"),
    ("a list", b"[" + GOOD + b"]", "not_an_object", "a list of 1"),
    ("null", b"null", "not_an_object", "null"),
    ("no user", changed(b'"user_id":"ann",', b""), "missing_field", "user_id is missing"),
    ("a number as id", changed(b'"ann"', b"42"), "wrong_type", "put the number in quotes"),
    ("a rating of 11", changed(b":4,", b":11,"), "out_of_range", "at most 5"),
    ("a rating in quotes", changed(b":4,", b':"4",'), "wrong_type", "a number"),
    (
        "seconds",
        changed(b"1700000000000", b"1700000000"),
        "bad_time",
        "ts looks like seconds (1700000000)",
    ),
    ("negative time", changed(b"1700000000000", b"-5"), "bad_time", "before 1970"),
    ("the future", changed(b"1700000000000", b"1900000000000"), "bad_time", "in the future"),
    ("a time beyond 64 bits", changed(b"1700000000000", b"9" * 40), "wrong_type", "whole number"),
    ("a time in words", changed(b"1700000000000", b'"now"'), "wrong_type", "whole number"),
]


@pytest.mark.parametrize(
    ("raw", "reason", "detail"), [bad[1:] for bad in BAD], ids=[bad[0] for bad in BAD]
)
def test_bad_input_becomes_a_dead_letter_that_says_why(
    raw: bytes | None, reason: str, detail: str
) -> None:
    letter = decode(Topic.REVIEWS, 2, 7, raw, NOW_MS)
    assert isinstance(letter, DeadLetter)
    assert (letter.reason, letter.topic, letter.partition, letter.offset, letter.ts) == (
        reason,
        "reviews",
        2,
        7,
        NOW_MS,
    )
    assert detail in letter.detail
    assert "\n" not in letter.detail
    assert letter.raw == (raw or b"")


def test_life_as_usual() -> None:
    expected = Review(
        event_id="e1", ts=1_700_000_000_000, user_id="ann", item_id="i1", rating=4.0, text="fine"
    )
    windows = GOOD.replace(b",", b",\r\n") + b"\r\n"
    unknown_fields = changed(b'"text"', b'"colour":{"a":[1]},"text"')
    for raw in (GOOD, windows, b"  " + GOOD, unknown_fields):
        assert decode(Topic.REVIEWS, 0, 0, raw, NOW_MS) == expected


def test_the_limit_counts_bytes_and_can_be_set() -> None:
    assert isinstance(decode(Topic.REVIEWS, 0, 0, GOOD, NOW_MS, limit=len(GOOD)), Review)
    assert isinstance(decode(Topic.REVIEWS, 0, 0, GOOD, NOW_MS, limit=len(GOOD) - 1), DeadLetter)
    assert isinstance(decode(Topic.REVIEWS, 0, 0, GOOD.ljust(MAX_VALUE_BYTES), NOW_MS), Review)


@given(st.sampled_from(list(type_of_topic)), st.binary(max_size=400))
def test_arbitrary_bytes_never_raise(topic: Topic, raw: bytes) -> None:
    assert isinstance(decode(topic, 0, 0, raw, NOW_MS), DeadLetter)


@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=3))
def test_a_damaged_event_never_raises(where: int, damage: bytes) -> None:
    raw = GOOD[:where] + damage + GOOD[where + len(damage) :]
    found = decode(Topic.REVIEWS, 0, 0, raw, NOW_MS)
    assert isinstance(found, Review | DeadLetter)
    assert isinstance(decode(Topic.REVIEWS, 0, 0, GOOD[:where], NOW_MS), DeadLetter)


@given(events())
def test_a_valid_event_survives_its_bytes(event: Event) -> None:
    assert decode(topic_of(event), 0, 0, orjson.dumps(event_value(event)), NOW_MS) == event


def test_the_reference_names_every_reason() -> None:
    root = Path(__file__).parents[3]
    reference = (root / "docs" / "events.md").read_text()
    sources = "".join(
        (root / name).read_text()
        for name in (
            "upwell/schema.py",
            "upwell/fields.py",
            "stream/chain/validate.py",
            "stream/chain/items.py",
        )
    )
    reasons = set(re.findall(r'InvalidEventError\(\s*"(\w+)"|reason="(\w+)"', sources))
    raised = {one or other for one, other in reasons} | set(
        re.findall(r'_letter\(arrival, "(\w+)"', sources)
    )
    assert raised <= set(REASONS)
    table = reference.partition("| reason | of |")[2].partition("\n\n")[0]
    cells = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    assert {one for cell in cells for one in re.findall(r"`(\w+)`", cell)} - {"items"} == set(
        REASONS
    )
