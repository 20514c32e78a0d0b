"""`upwell import`: what people have, as a replay log."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from stream.ops.commands.command import (
    NO_ROOM,
    console,
    drop_output,
    faults,
    interruptible,
    json_line,
    print_json,
    tell,
)
from stream.replay.importers import KINDS, Report, import_log
from stream.replay.progress import watched
from upwell.errors import LogError

__all__ = ["import_command"]

KIND_HELP = f"auto, csv, {', '.join(KINDS)}."


def import_command(
    kind: Annotated[str, typer.Argument(help=KIND_HELP)],
    path: Annotated[Path, typer.Argument(help="A file, or the folder with a data set's files.")],
    out: Annotated[
        Path | None,
        typer.Option(help="A new file for the log, whole or not there; else standard output."),
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="For csv: which column is which field, in TOML.")
    ] = None,
    plain: Annotated[bool, typer.Option("--plain", help="Write the log without gzip.")] = False,
    seed: Annotated[int, typer.Option(help="Of the order of equal times.")] = 0,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Say what was read as JSON: on standard output with --out, else as the last line "
            "of the error output.",
        ),
    ] = False,
) -> None:
    """Write a replay log of another format's files."""
    with faults(), interruptible():
        if kind not in ("auto", "csv", *KINDS):
            raise LogError(
                f"{kind!r:.40} is no kind of log; known are auto, csv, {', '.join(KINDS)}"
            )
        if out is None and sys.stdout.isatty() and not plain:
            raise LogError("the log is gzipped: name a file with --out FILE, or --plain")
        with _sink(out) as sink, watched(console) as moved:
            report = import_log(
                kind,
                path,
                sink,
                time.time_ns() // 1_000_000,
                mapping=mapping,
                packed=not plain,
                seed=seed,
                moved=moved,
            )
        _show(report)
        if as_json and out is not None:
            print_json(report)
        elif as_json:
            sys.stderr.write(json_line(report))


@contextmanager
def _sink(out: Path | None) -> Iterator[BinaryIO]:
    """Where the log goes; a file is there once all of it is. Raises `LogError`."""
    if out is None:
        try:
            yield sys.stdout.buffer
        except OSError as exc:
            if exc.errno not in NO_ROOM:
                raise
            drop_output()
            raise _unwritten("standard output", exc) from exc
        return
    if out.exists():
        raise LogError(f"{out} is there already: name a new file")
    partial = out.with_name(f"{out.name}.partial")
    try:
        with partial.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.rename(out)
    except OSError as exc:
        if exc.filename not in (None, str(partial)):  # what is read, not what is written
            raise
        raise _unwritten(str(out), exc) from exc
    finally:
        with suppress(OSError):  # its folder is none: that was said
            partial.unlink(missing_ok=True)


def _unwritten(where: str, exc: OSError) -> LogError:
    return LogError(f"{where} cannot be written ({exc.strerror}): make room, or name another file")


def _show(report: Report) -> None:
    written = ", ".join(f"{count:,} {topic}" for topic, count in report.events.items())
    tell(f"read as {report.kind}: {written}")
    for reason, count in report.dirty.most_common():
        what = "kept    " if reason.startswith("(") else "left out"
        tell(f"{what} {count:>10,}  {reason.strip('()')}")
    if report.unread:
        tell(f"not read: {', '.join(report.unread)}")
