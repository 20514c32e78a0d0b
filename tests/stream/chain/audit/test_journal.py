"""What a writer knows of its partition is what stands on the topics."""

from __future__ import annotations

from stream.chain.audit.entry import AuditEntry
from stream.chain.audit.journal import TAIL, Journal, Stood
from tests.stream.chain.audit.desk import Board, home


def test_it_holds_the_newest_entries_and_knows_how_far_controls_were_entered() -> None:
    board = Board()
    for number in range(TAIL + 3):
        board.say("override", item_id=f"i{number}")
    journal = Journal(board.stood(home("o")))
    source, last = f"controls-{home('o')}", TAIL + 2
    assert journal.covers(source, last)
    assert not journal.covers(source, last + 1)
    assert not journal.covers(f"controls@another-{home('o')}", 0)
    newest = journal.entry_at(source, last)
    assert newest is not None
    assert newest.seq == last
    assert journal.entry_at(source, 2) is None
    assert journal.kept == board.overrides[home("o")]


def test_entries_that_overrides_do_not_know_yet_are_taken_in_each_once() -> None:
    board = Board(approvals=1)
    board.say("override")
    before = board.overrides[home("o")].copy()
    board.say("approve", by="bob")
    entries = tuple(AuditEntry.read(value) for _, value in board.audit)
    found = Journal(Stood(before, (*entries, entries[0]))).kept
    assert found == board.overrides[home("o")]
    assert Journal(Stood({}, entries)).kept == found


def test_entries_that_overrides_know_already_are_not_counted_twice() -> None:
    board = Board(approvals=3)
    board.say("override")
    board.say("approve", by="bob")
    kept = board.overrides[home("o")]
    [*_, last] = [AuditEntry.read(value) for _, value in board.audit]
    assert Journal(Stood(kept, (last,))).kept == kept
    assert kept["o"].approvals == ("bob",)
