"""An entry's bytes: the same always, and of any program that can sort keys."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.chain.audit.entry import BEGINNING, AuditEntry, digest_of

ENTRY = AuditEntry(
    seq=0,
    prev=BEGINNING,
    at=1_800_000_000_000,
    ts=0,
    who="änn",
    why="a “reason” \n 🦊",
    kind="override",
    what={"override_id": "o", "boost": 0.1, "item_id": "ключ"},
    outcome="refused",
    event_id="e",
    source="controls@1f2e3d4c-0",
    offset=7,
    refusal=("same_person", "detail"),
)


@given(st.text(), st.floats(-10, 10), st.integers(0, 2**53))
def test_it_comes_back_as_it_was_to_the_byte(words: str, number: float, at: int) -> None:
    words = words.encode(errors="replace").decode()
    entry = replace(ENTRY, why=words, what={"boost": number}, at=at)
    read = AuditEntry.read(entry.value())
    assert read == entry
    assert read.value() == entry.value()
    assert json.loads(entry.value())["digest"] == entry.digest


def test_another_program_comes_to_the_same_digest() -> None:
    told = json.loads(ENTRY.value())
    stated = told.pop("digest")
    plain = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert hashlib.sha256(plain).hexdigest() == stated == digest_of(told)


@pytest.mark.parametrize("value", [None, b"", b"[]", b"1", b"{}", b'{"digest": "", "v": 2}'])
def test_what_is_none_is_refused(value: bytes | None) -> None:
    with pytest.raises(ValueError, match=r"(?i)entry|version|input"):
        AuditEntry.read(value)
