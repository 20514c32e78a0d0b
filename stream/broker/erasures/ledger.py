"""The ledger of erasures as a value and as a file: of each user the newest request to forget that
was carried out. It names users by pseudonym alone.

    erasures.jsonl      a line that says what it is and how many follow, then an entry a line
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

import orjson

from stream.chain.effects import Forgotten
from upwell.errors import SnapshotError
from upwell.settings import Settings
from upwell.system.files import write_whole

__all__ = ["FILE", "Ledger", "later", "ledger_files", "newest", "read_file", "write_file"]

FILE = "erasures.jsonl"
"""In a data folder, in a snapshot, and beside scheduled snapshots."""
FORMAT = "upwell-erasures-1"

Ledger = dict[str, Forgotten]
"""By pseudonym."""


def ledger_files(settings: Settings) -> tuple[Path, ...]:
    """The copies that a running engine keeps: in its data folder, and beside the snapshots that it
    makes by the clock.
    """
    beside = settings.snapshot_folder
    return (settings.data / FILE, *([] if beside is None else [beside / FILE]))


def newest(entries: Iterable[Forgotten]) -> Ledger:
    """Of each user the last entry, in whatever order they come."""
    found: Ledger = {}
    for one in entries:
        known = found.get(one.user)
        if known is None or one.order > known.order:
            found[one.user] = one
    return found


def later(ledger: Mapping[str, Forgotten], than: Mapping[str, Forgotten]) -> Ledger:
    """What `ledger` has and `than` has not, or has an older entry of."""
    return {
        user: one
        for user, one in ledger.items()
        if user not in than or one.order > than[user].order
    }


def write_file(path: Path, ledger: Mapping[str, Forgotten]) -> None:
    """Whole or not at all. Raises `SnapshotError` where it cannot be written."""
    rows = sorted(ledger.values(), key=lambda one: (one.order, one.user))
    head = {"format": FORMAT, "entries": len(rows)}
    lines = [orjson.dumps(head), *(orjson.dumps(asdict(one)) for one in rows)]
    try:
        write_whole(path, b"\n".join(lines) + b"\n")
    except OSError as exc:
        raise SnapshotError(
            f"the ledger of erasures {path} cannot be written: {exc.strerror or exc}; make room, "
            "or make the folder writable"
        ) from exc


def read_file(path: Path) -> Ledger:
    """The inverse. Raises `SnapshotError` where it is none, or cannot be read."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as exc:
        raise SnapshotError(
            f"the ledger of erasures {path} cannot be read: {exc.strerror or exc}"
        ) from exc
    try:
        head = orjson.loads(lines[0]) if lines else {}
        if not isinstance(head, dict) or head.get("format") != FORMAT:
            raise SnapshotError(
                f"{path} is no ledger of erasures of this version of Upwell ({FORMAT}): name the "
                f"{FILE} of the data folder"
            )
        if head["entries"] != len(lines) - 1:
            raise ValueError(f"{len(lines) - 1} entries of {head['entries']}")
        return newest(_entry(orjson.loads(line)) for line in lines[1:])
    except (ValueError, TypeError, KeyError) as exc:
        raise SnapshotError(
            f"{path} is a torn ledger of erasures ({exc}): take another copy of it"
        ) from exc


def _entry(row: object) -> Forgotten:
    types = {"user": str, "appended_ms": int, "source": str, "offset": int, "partition": int}
    if not isinstance(row, dict) or {name: type(one) for name, one in row.items()} != types:
        raise ValueError(f"an entry is {row!r:.80}")
    return Forgotten(**row)
