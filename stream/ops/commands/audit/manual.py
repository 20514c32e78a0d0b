"""What the manual says of `upwell audit`."""

from __future__ import annotations

from collections.abc import Mapping

from stream.ops.commands.entry import Entry
from upwell.system.exit_codes import ExitCode

__all__ = ["AUDIT"]

AUDIT: Mapping[str, Entry] = {
    "audit": Entry("upwell audit verify"),
    "audit show": Entry(
        "upwell audit show --last 20",
        (ExitCode.BROKER,),
        "an entry a line, as docs/overrides.md has it, with its `partition` and `at_offset`",
        stream=True,
    ),
    "audit standing": Entry(
        "upwell audit standing",
        (ExitCode.BROKER,),
        "what holds and what waits",
        {
            "overrides": "of each its fields (users as pseudonyms), `by`, `why`, `event_id`, `at` "
            "and `state` (waits or in_force); of one that waits `needs` and `approved_by`"
        },
    ),
    "audit verify": Entry(
        "upwell audit verify --json",
        (ExitCode.BROKER,),
        "what was found",
        {
            "entries": "that are there",
            "repeats": "records that say an entry once more, to the byte",
            "heads": "of each partition `seq` and `digest` of its last entry: keep them elsewhere, "
            "for `--heads`",
            "faults": "of each `kind` (changed, forked, missing, out_of_order, unreadable, "
            "cut_off), `partition`, `seq`, `offset` of the record, `detail`",
        },
    ),
}
