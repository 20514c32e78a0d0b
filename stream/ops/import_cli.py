"""`upwell import`: what people have, as a replay log on the standard output."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console

from stream.ops.command import console, faults, interruptible
from stream.replay.importers import KINDS, Report, import_log
from upwell.errors import LogError

__all__ = ["import_command"]

KIND_HELP = f"auto, csv, {', '.join(KINDS)}."


def import_command(
    kind: Annotated[str, typer.Argument(help=KIND_HELP)],
    path: Annotated[Path, typer.Argument(help="A file, or the folder with a data set's files.")],
    mapping: Annotated[
        Path | None, typer.Option(help="For csv: which column is which field, in TOML.")
    ] = None,
    plain: Annotated[bool, typer.Option("--plain", help="Write the log without gzip.")] = False,
    seed: Annotated[int, typer.Option(help="Of the order of equal times.")] = 0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Say what was read as JSON, last on the error output.")
    ] = False,
) -> None:
    """Write a replay log of another format's files: upwell import KIND PATH > log.jsonl.gz."""
    with faults(), interruptible():
        if kind not in ("auto", "csv", *KINDS):
            raise LogError(
                f"{kind!r:.40} is no kind of log; known are auto, csv, {', '.join(KINDS)}"
            )
        if sys.stdout.isatty() and not plain:
            raise LogError("the log is gzipped: send it to a file with > log.jsonl.gz, or --plain")
        report = import_log(
            kind,
            path,
            sys.stdout.buffer,
            time.time_ns() // 1_000_000,
            mapping=mapping,
            packed=not plain,
            seed=seed,
        )
        _show(report, console)
        if as_json:
            sys.stderr.write(orjson.dumps(asdict(report)).decode() + "\n")


def _show(report: Report, shown: Console) -> None:
    written = ", ".join(f"{count:,} {topic}" for topic, count in report.events.items())
    rows = [f"read as {report.kind}: {written}"]
    for reason, count in report.dirty.most_common():
        what = "kept    " if reason.startswith("(") else "left out"
        rows.append(f"{what} {count:>10,}  {reason.strip('()')}")
    if report.unread:
        rows.append(f"not read: {', '.join(report.unread)}")
    for row in rows:
        shown.print(row, markup=False, highlight=False, soft_wrap=True)
