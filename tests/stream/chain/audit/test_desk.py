"""Controls are ruled on once, entered once, and what stands of overrides is what the log says,
wherever a worker dies.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.chain.audit.entry import AuditEntry
from stream.chain.records import Record, decode_records
from stream.chain.scrub import scrub
from tests.stream.chain.audit.desk import NOW_MS, PSEUDONYMIZER, Board, home, value_of
from upwell.recommendations import DeadLetter

KINDS = ("override", "approve", "reject", "withdraw")
controls = st.lists(
    st.tuples(
        st.sampled_from(KINDS),
        st.sampled_from(["o", "ö", "p", "q"]),
        st.sampled_from(["ann", "Bob", "bob ", "eve"]),
    ),
    max_size=14,
)


def test_without_approvals_an_override_holds_at_once_and_can_be_replaced_and_taken_back() -> None:
    board = Board()
    board.say("override", item_id="i")
    board.say("override", item_id="j", decision="boost", boost=2, priority=3)
    found = board.standing()
    assert found is not None
    assert found.standing is not None
    assert (found.standing.item_id, found.standing.boost, found.standing.priority) == ("j", 2.0, 3)
    board.say("withdraw", by="bob")
    assert board.standing() is None
    assert board.outcomes() == ["in_force", "in_force", "withdrawn"]
    assert board.faults() == []


def test_with_approvals_it_waits_for_somebody_else() -> None:
    board = Board(approvals=1)
    board.say("override")
    [letter] = board.say("approve", by=" ANN").letters
    assert (letter.reason, "another one has to" in letter.detail) == ("same_person", True)
    waiting = board.standing()
    assert waiting is not None
    assert (waiting.standing, waiting.waiting is None) == (None, False)
    board.say("approve", by="bob")
    found = board.standing()
    assert found is not None
    assert found.standing == waiting.waiting
    assert board.outcomes() == ["waits", "refused", "in_force"]


def test_two_approvals_are_of_two_people() -> None:
    board = Board(approvals=2)
    board.say("override")
    board.say("approve", by="bob")
    [letter] = board.say("approve", by="Bob").letters
    assert letter.reason == "same_person"
    board.say("approve", by="eve")
    found = board.standing()
    assert found is not None
    assert found.standing is not None
    assert board.outcomes() == ["waits", "waits", "refused", "in_force"]


def test_what_holds_goes_on_until_another_is_approved_and_a_rejection_ends_that_alone() -> None:
    board = Board(approvals=1)
    board.say("override", item_id="i")
    board.say("approve", by="bob")
    board.say("override", item_id="j")
    both = board.standing()
    assert both is not None
    assert both.standing is not None
    assert both.waiting is not None
    assert (both.standing.item_id, both.waiting.item_id) == ("i", "j")
    board.say("reject", by="bob")
    left = board.standing()
    assert left is not None
    assert (left.standing, left.waiting) == (both.standing, None)
    board.say("override", "p")
    board.say("reject", "p", by="bob")
    assert board.standing("p") is None


def test_an_approval_of_a_record_that_was_replaced_meanwhile_is_refused() -> None:
    board = Board(approvals=1)
    board.say("override", event_id="first")
    board.say("override", event_id="second", decision="pin")
    [letter] = board.say("approve", by="bob", of_event="first").letters
    assert (letter.reason, "second" in letter.detail) == ("unknown_override", True)
    assert board.say("approve", by="bob", of_event="second").letters == ()


@pytest.mark.parametrize("kind", ["approve", "reject", "withdraw"])
def test_what_names_no_override_is_a_dead_letter_that_stays_on_the_record(kind: str) -> None:
    board = Board(approvals=1)
    [letter] = board.say(kind, "nobody").letters
    assert letter.reason == "unknown_override"
    [(_, value)] = board.audit
    entry = AuditEntry.read(value)
    assert (entry.outcome, entry.refusal) == ("refused", (letter.reason, letter.detail))


def test_who_said_what_and_when_stands_there_with_users_as_pseudonyms() -> None:
    board = Board()
    board.say("override", user_id="ann@home", why="asked by ann@example.org", until_ts=NOW_MS + 9)
    [(partition, value)] = board.audit
    entry = AuditEntry.read(value)
    assert (entry.seq, entry.who, entry.at, entry.kind) == (0, "ann", NOW_MS, "override")
    assert (entry.source, entry.offset) == (f"controls-{partition}", 0)
    assert entry.why == scrub("asked by ann@example.org") != "asked by ann@example.org"
    assert entry.what["user"] == PSEUDONYMIZER.pseudonym("ann@home")
    assert b"ann@home" not in value
    assert entry.what["until_ts"] == NOW_MS + 9


def test_controls_of_items_and_users_are_entered_too_and_refused_ones_as_refused() -> None:
    board = Board()
    ban = board.record({"kind": "ban_item", "item_id": "i", "by": "a", "why": "w"}, partition=1)
    lost = board.record({"kind": "ban_item", "item_id": "x", "by": "a", "why": "w"}, partition=1)
    merge = {"kind": "merge_user", "user_id": "u", "from_user": "g", "by": "a", "why": "w"}
    login = board.record(merge, partition=1)
    arrivals, _ = decode_records([ban, lost, login], NOW_MS)
    refused = DeadLetter(
        reason="unknown_item",
        detail="d",
        topic="controls",
        partition=1,
        offset=lost.offset,
        raw=b"",
        ts=NOW_MS,
    )
    made = board.desk.take(arrivals, [refused], NOW_MS)
    board.publish(made)
    assert board.outcomes() == ["done", "refused", "done"]
    assert (made.letters, made.overrides) == ((), ())
    merged = AuditEntry.read(board.audit[-1][1])
    users = {"user": PSEUDONYMIZER.pseudonym("u"), "from_user": PSEUDONYMIZER.pseudonym("g")}
    assert merged.what == users
    # announced meanwhile, the control comes again and has its effect: what happened stands there
    again = board.desk.take(arrivals, [], NOW_MS)
    board.publish(again)
    assert board.outcomes() == ["done", "refused", "done", "done"]
    assert board.faults() == []


def test_one_on_another_partition_than_its_overrides_is_sent_on_and_not_entered() -> None:
    board = Board()
    own = home("o")
    made = board.run(board.record(value_of("override"), partition=(own + 1) % 4))
    assert made.entries == ()
    [(key, value, _)] = made.strays
    assert (key, value) == (b"o", board.controls[0].value)


def test_a_retry_counts_once_and_the_same_id_for_something_else_is_something_else() -> None:
    board = Board(approvals=1)
    board.say("override", event_id="e")
    assert board.say("override", event_id="e").entries == ()
    board.say("approve", by="bob", event_id="a")
    assert board.say("approve", by="bob", event_id="a").letters == ()
    board.say("override", event_id="e", item_id="j")
    assert board.outcomes() == ["waits", "in_force", "waits"]


@pytest.mark.parametrize("decision", ["ban", "boost", "demote"])
def test_a_retry_counts_once_after_a_restart_too(decision: str) -> None:
    """What was heard is read from JSON then."""
    more: dict[str, Any] = {"decision": decision, "query": "snow", "match": "equals", "priority": 3}
    if decision != "ban":
        more["boost"] = 2
    board = Board()
    board.say("override", event_id="e", **more)
    board.desk = board.new_desk()
    assert board.say("override", event_id="e", **more).entries == ()
    assert board.outcomes() == ["in_force"]


@settings(max_examples=150, deadline=None)
@given(controls, st.integers(0, 2), st.data())
def test_wherever_a_worker_dies_log_and_overrides_are_as_if_it_had_not(
    said: list[tuple[str, str, str]], approvals: int, data: st.DataObject
) -> None:
    """Batches of any size; after some of the entries, or before the overrides, the worker dies, and
    another reads what stands and is given the batch again.
    """
    calm, board = Board(approvals), Board(approvals)
    for kind, override_id, by in said:
        calm.say(kind, override_id, by=by)
    letters: set[tuple[int, str]] = set()
    refused = {
        (entry.offset, entry.refusal[0])
        for entry in (AuditEntry.read(value) for _, value in calm.audit)
        if entry.refusal is not None
    }
    waiting = [board.record(value_of(kind, of, by=by)) for kind, of, by in said]
    while waiting:
        batch = waiting[: data.draw(st.integers(1, 5))]
        while True:
            made = board.run(*batch)
            if data.draw(st.integers(0, 3)):
                break
            whole = data.draw(st.booleans())
            some = None if whole else data.draw(st.integers(0, len(made.entries)))
            board.publish(made, some, overrides=whole and data.draw(st.booleans()))
            board.desk = board.new_desk()
        board.publish(made)
        letters |= {(one.offset, one.reason) for one in made.letters}
        waiting = waiting[len(batch) :]
    assert sorted(board.audit) == sorted(calm.audit)
    assert board.overrides == calm.overrides or _shown(board) == _shown(calm)
    assert letters == refused
    assert board.faults() == []


def test_a_worker_that_stood_still_publishes_the_very_same_bytes() -> None:
    board = Board(approvals=1)
    first, second = board.record(value_of("override")), board.record(value_of("approve", by="bob"))
    late, quick = board.new_desk(), board.new_desk()
    stale = board.run(first, second, desk=late)
    board.publish(board.run(first, second, desk=quick))
    board.publish(board.run(board.record(value_of("withdraw")), desk=quick))
    board.publish(stale)
    assert [AuditEntry.read(value).seq for _, value in board.audit] == [0, 1, 2, 0, 1]
    assert board.faults() == []
    assert board.new_desk().take(*_again(first), NOW_MS).entries == ()


def _again(record: Record) -> tuple[Any, list[DeadLetter]]:
    return decode_records([replace(record)], NOW_MS)[0], []


def _shown(board: Board) -> dict[int, dict[str, Any]]:
    return {at: kept for at, kept in board.overrides.items() if kept}
