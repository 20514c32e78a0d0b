from __future__ import annotations

import mmap
from pathlib import Path

import pytest

from upwell.system import process
from upwell.system.process import process_figures, resident_bytes

MIB = 1 << 20


def test_memory_that_is_taken_is_seen() -> None:
    before = resident_bytes()
    with mmap.mmap(-1, 64 * MIB) as taken:  # of the system: an allocator may have some to spare
        taken.write(b"\x01" * (64 * MIB))
        assert resident_bytes() - before > 32 * MIB


def test_where_the_system_does_not_say_it_is_the_most_that_was_held(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    now = resident_bytes()
    monkeypatch.setattr(process, "_STATM", tmp_path / "none")
    assert now / 2 < resident_bytes() < 64 * now


def test_processor_time_grows() -> None:
    before = process_figures()["cpu_seconds"]
    while process_figures()["cpu_seconds"] == before:
        pass
    assert process_figures()["cpu_seconds"] > before
