"""`upwell audit`: what people said and what came of it, and whether the record of it is whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stream.ops.commands.command import (
    Json,
    connected,
    faults,
    interruptible,
    print_json,
    shown,
    tell,
)
from stream.ops.commands.help import add, new_app
from upwell.client import client_options
from upwell.system.exit_codes import ExitCode

__all__ = ["audit_app"]


def show(
    who: Annotated[str | None, typer.Option("--by", help="Only what this person said.")] = None,
    item: Annotated[str | None, typer.Option(help="Only what is about this item.")] = None,
    override: Annotated[
        str | None, typer.Option("--override", help="Only what is about this override_id.")
    ] = None,
    last: Annotated[int, typer.Option(help="So many of the newest; 0 for all.", min=0)] = 50,
    as_json: Json = False,
) -> None:
    """What people said, by whom, why, when, and what came of it, oldest first.

    It shows what stands there; whether that is whole says `upwell audit verify`.
    """
    from stream.broker.audit.log import read_log
    from stream.chain.audit.entry import AuditEntry
    from stream.ops.commands.audit.shown import entries_table, entry_row

    with faults(), interruptible():
        own = connected()
        found: dict[tuple[int, int], tuple[AuditEntry, int, bytes]] = {}
        unreadable = 0
        for partition, offset, value in read_log(client_options(own.kafka), own.kafka.prefix):
            try:
                one = AuditEntry.read(value)
            except ValueError:
                unreadable += 1
                continue
            wanted = (who in (None, one.who)) and (item in (None, one.what.get("item_id")))
            if wanted and override in (None, one.what.get("override_id")):
                found.setdefault((partition, one.seq), (one, offset, value or b""))
        some = sorted(found.items(), key=lambda kept: (kept[1][0].at, kept[0]))[-last:]
        table = entries_table((partition, one) for (partition, _), (one, _, _) in some)
        shown(stderr=as_json).print(table)
        if unreadable:
            tell(f"{unreadable} records are no entries: `upwell audit verify` says where", "red")
        if as_json:
            for (partition, _), (_, offset, value) in some:
                print_json(entry_row(partition, offset, value))


def standing(as_json: Json = False) -> None:
    """The overrides that hold or wait for approval, those that wait first."""
    from stream.broker.audit.log import read_overrides
    from stream.ops.commands.audit.shown import standing_rows, standing_table

    with faults(), interruptible():
        own = connected()
        rows = standing_rows(read_overrides(client_options(own.kafka), own.kafka.prefix))
        shown(stderr=as_json).print(standing_table(rows))
        if as_json:
            print_json({"overrides": rows})


def verify(
    heads: Annotated[
        Path | None,
        typer.Option(
            help="What an earlier `verify --json` printed: entries of then have to be there still."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Whether the log is as it was written: each entry by its digest and by the one before it.

    What was changed, is missing or stands out of order is said, and the exit code is 1.
    """
    from stream.broker.audit.log import read_log
    from stream.chain.audit.verify import Verifier
    from stream.ops.commands.audit.shown import fault_line, heads_of, report_of

    with faults(), interruptible():
        noted = None if heads is None else heads_of(heads)
        own, verifier = connected(), Verifier()
        for partition, offset, value in read_log(client_options(own.kafka), own.kafka.prefix):
            verifier.take(partition, offset, value)
        found = verifier.faults(noted)
        for one in found:
            tell(fault_line(one), style="red")
        again = f", {verifier.repeats} published more than once" if verifier.repeats else ""
        tell(f"{verifier.entries} entries{again}: {len(found) or 'no'} faults")
        if as_json:
            print_json(report_of(verifier, found))
        if found:
            raise typer.Exit(ExitCode.FAILED)


audit_app = new_app("audit", "The record of what people decided: read it, check it.")
add(audit_app, "audit show", show)
add(audit_app, "audit standing", standing)
add(audit_app, "audit verify", verify)
