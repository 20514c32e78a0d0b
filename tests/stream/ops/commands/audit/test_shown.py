"""What people and scripts are shown of entries and faults."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from rich.console import Console

from stream.chain.audit.entry import AuditEntry
from stream.chain.audit.verify import Fault, Verifier
from stream.ops.commands.audit.shown import (
    entries_table,
    entry_row,
    fault_line,
    heads_of,
    report_of,
    standing_rows,
    standing_table,
)
from tests.stream.chain.audit.desk import Board, home
from upwell.errors import SettingsError


def test_a_table_says_who_when_what_on_what_and_what_came_of_it() -> None:
    board = Board(approvals=1)
    board.say("override", query="red [bold]shoes", why="ein Grund")
    board.say("approve")
    console = Console(width=200, record=True)
    entries = [(at, AuditEntry.read(value)) for at, value in board.audit]
    console.print(entries_table(entries))
    text = console.export_text()
    for word in ("2027-01-15", "ann", "ban", "red [bold]shoes", "waits", "refused: same_person"):
        assert word in text
    assert f"{home('o')}-1" in text


def test_what_waits_stands_first_with_who_approved() -> None:
    board = Board(approvals=2)
    for override_id in ("a", "b"):
        board.say("override", override_id, segment="vip", until_ts=1_900_000_000_000)
    for by in ("bob", "eve"):
        board.say("approve", "a", by=by)
    board.say("approve", "b", by="bob")
    board.say("override", "a", decision="pin")
    rows = standing_rows({one: kept for of in board.overrides.values() for one, kept in of.items()})
    assert [(row["override_id"], row["state"], row["decision"]) for row in rows] == [
        ("a", "waits", "pin"),
        ("b", "waits", "ban"),
        ("a", "in_force", "ban"),
    ]
    assert (rows[1]["needs"], rows[1]["approved_by"]) == (2, ["bob"])
    console = Console(width=200, record=True)
    console.print(standing_table(rows))
    text = console.export_text()
    for word in ("waits, 1 of 2 approved", "segment vip", "everyone", "2030-03-17", "in force"):
        assert word in text


def test_a_row_is_the_entry_with_its_place() -> None:
    board = Board()
    board.say("override")
    [(partition, value)] = board.audit
    row = entry_row(partition, 7, value)
    assert (row["partition"], row["at_offset"], row["seq"]) == (partition, 7, 0)
    assert row["digest"] == AuditEntry.read(value).digest


def test_heads_of_a_report_are_read_again(tmp_path: Path) -> None:
    board, verifier = Board(), Verifier()
    board.say("override")
    for offset, (partition, value) in enumerate(board.audit):
        verifier.take(partition, offset, value)
    file = tmp_path / "heads.json"
    file.write_bytes(orjson.dumps(report_of(verifier, [])) + b"\n")
    assert heads_of(file) == verifier.heads()
    file.write_text("{}")
    with pytest.raises(SettingsError, match="upwell audit verify --json"):
        heads_of(file)
    with pytest.raises(SettingsError, match="No such file"):
        heads_of(tmp_path / "none")


def test_a_fault_is_one_line() -> None:
    line = fault_line(Fault("changed", 1, 4, 9, "why"))
    assert line == "changed: entry 1-4 (partition 1, offset 9): why"
    assert fault_line(Fault("unreadable", 1, None, 9, "why")).startswith("unreadable: a record")
    assert fault_line(Fault("missing", 1, 2, None, "why")) == "missing: entry 1-2: why"
