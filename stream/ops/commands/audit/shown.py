"""What the commands show of entries and of faults, for people and for scripts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from stream.chain.audit.entry import AuditEntry
from stream.chain.audit.verify import Fault, Verifier
from stream.chain.overrides.ledger import Kept
from stream.replay.table import Rows, plain
from upwell.errors import SettingsError

__all__ = [
    "entries_table",
    "entry_row",
    "fault_line",
    "heads_of",
    "report_of",
    "standing_rows",
    "standing_table",
]

Heads = dict[int, tuple[int, str]]


def entries_table(entries: Iterable[tuple[int, AuditEntry]]) -> Rows:
    """partition and entry of each, in their order."""
    rows = Rows("when", "who", "what", "on", "came of it", "why", "entry", title="What people said")
    for partition, one in entries:
        outcome = one.outcome if one.refusal is None else f"refused: {one.refusal[0]}"
        rows.add_row(
            _time(one.at),
            plain(one.who),
            plain(str(one.what.get("decision", one.kind))),
            plain(_target(one.what)),
            plain(outcome),
            plain(one.why),
            f"{partition}-{one.seq}",
        )
    return rows


def standing_rows(found: Mapping[str, Kept]) -> list[dict[str, Any]]:
    """Of each override that holds or waits, for scripts: those that wait first."""
    rows = []
    for override_id, kept in sorted(found.items()):
        for one, state in ((kept.waiting, "waits"), (kept.standing, "in_force")):
            if one is not None:
                rows.append({**one.values(), "override_id": override_id, "state": state})
                if state == "waits":
                    rows[-1] |= {"needs": kept.needs, "approved_by": list(kept.approvals)}
    return sorted(rows, key=lambda row: row["state"] != "waits")


def standing_table(rows: Iterable[Mapping[str, Any]]) -> Rows:
    """The same for people."""
    table = Rows("override", "what", "for", "until", "by", "why", "state", title="Overrides")
    for row in rows:
        until = row.get("until_ts")
        scope = [f"{name} {row[name]}" for name in ("user", "segment", "query") if name in row]
        state = "in force"
        if row["state"] == "waits":
            state = f"waits, {len(row['approved_by'])} of {row['needs']} approved"
        table.add_row(
            plain(row["override_id"]),
            plain(f"{row['decision']} {row['item_id']}"),
            plain(", ".join(scope) or "everyone"),
            "" if until is None else _time(until),
            plain(row["by"]),
            plain(row["why"]),
            state,
        )
    return table


def _time(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S}"


def _target(what: Mapping[str, Any]) -> str:
    """Whom or what it is about."""
    names = ("override_id", "item_id", "user", "from_user", "segment", "query", "version")
    return ", ".join(f"{name} {what[name]}" for name in names if name in what)


def entry_row(partition: int, offset: int, value: bytes) -> dict[str, Any]:
    """The entry as it stands, with where."""
    return {"partition": partition, "at_offset": offset, **orjson.loads(value)}


def fault_line(fault: Fault) -> str:
    """One line for people."""
    entry = "a record" if fault.seq is None else f"entry {fault.partition}-{fault.seq}"
    where = "" if fault.offset is None else f" (partition {fault.partition}, offset {fault.offset})"
    return f"{fault.kind}: {entry}{where}: {fault.detail}"


def report_of(verifier: Verifier, faults: Iterable[Fault]) -> dict[str, Any]:
    """For scripts; `heads_of` reads what it says of heads."""
    return {
        **verifier.counts(),
        "heads": {
            str(partition): {"seq": seq, "digest": digest}
            for partition, (seq, digest) in verifier.heads().items()
        },
        "faults": [
            {
                "kind": one.kind,
                "partition": one.partition,
                "seq": one.seq,
                "offset": one.offset,
                "detail": one.detail,
            }
            for one in faults
        ],
    }


def heads_of(file: Path) -> Heads:
    """Those of an earlier report, its last line. Raises `SettingsError` where it is none."""
    try:
        told = orjson.loads(file.read_bytes().splitlines()[-1])["heads"]
        return {int(name): (int(one["seq"]), str(one["digest"])) for name, one in told.items()}
    except OSError as exc:
        raise SettingsError(f"--heads {file}: {exc.strerror}") from exc
    except (ValueError, TypeError, LookupError, AttributeError) as exc:
        raise SettingsError(
            f"--heads {file}: this is not what `upwell audit verify --json` printed ({exc})"
        ) from exc
