"""What every command of the command line needs: the settings, a client, one line for a fault, an
orderly end, what people read on the error output and what scripts read on standard output.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import orjson
import typer
from rich.console import Console

from upwell.client import UpwellClient, find_broker
from upwell.errors import UpwellError
from upwell.reasons import Sentences
from upwell.settings import Settings, load_settings
from upwell.system.exit_codes import ExitCode

if TYPE_CHECKING:
    from stream.runs.run import Run

__all__ = [
    "NO_ROOM",
    "SETTINGS_FILE",
    "By",
    "Json",
    "Shares",
    "Why",
    "client",
    "connected",
    "console",
    "drop_output",
    "faults",
    "interruptible",
    "json_line",
    "print_json",
    "sentences",
    "settings",
    "shown",
    "tell",
    "tracked",
]

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Of a disk."""

SETTINGS_FILE = Path("upwell.toml")
"""In the folder of the start."""

Shares = Annotated[
    bool, typer.Option("--shares", help="Show signals and their shares, not sentences.")
]
By = Annotated[str, typer.Option(help="Who asks for it; kept on the record.")]
Why = Annotated[str, typer.Option(help="Kept on the record.")]
Json = Annotated[
    bool,
    typer.Option(
        "--json", help="JSON on standard output and nothing else there; words on the error output."
    ),
]


def shown(stderr: bool) -> Console:
    """Where people read. NO_COLOR takes all styles off; without a terminal, and on TERM=dumb, there
    is no escape code at all.
    """
    return Console(stderr=stderr, color_system=None if os.environ.get("NO_COLOR") else "auto")


console = shown(stderr=True)


def tell(words: str, style: str | None = None) -> None:
    """For people, as it is: no markup. One line where it is piped, whole words on a terminal."""
    one_line = not console.is_terminal
    console.print(words, style=style, markup=False, highlight=False, soft_wrap=one_line)


def settings() -> Settings:
    """From the environment and, where there is one, `upwell.toml` in this folder."""
    return load_settings(os.environ, SETTINGS_FILE if SETTINGS_FILE.exists() else None)


def connected() -> Settings:
    """The settings with the address of the broker that runs."""
    own = settings()
    return replace(own, kafka=replace(own.kafka, address=find_broker(own)))


def sentences(shares: bool) -> Sentences | None:
    """Of the settings; None where shares are wanted. Raises `SettingsError`."""
    reasons = settings().reasons
    return None if shares else Sentences(reasons.language, reasons.file)


def tracked(what: str, options: Mapping[str, object], log: Path | None, own: Settings) -> Run:
    """A run of a command that begins now, where UPWELL_TRACK says so. Raises `SettingsError`."""
    from stream.runs.about import About, run_name
    from stream.runs.run import Run

    return Run(About(run_name(what, time.time()), options, log, own), tell)


@contextmanager
def client() -> Iterator[UpwellClient]:
    """Of the broker that runs, closed at the end."""
    own = connected()
    with UpwellClient(own.kafka.address or "", own.kafka) as upwell:
        yield upwell


@contextmanager
def faults() -> Iterator[None]:
    """A fault that a person can mend is one line; its traceback only with UPWELL_TRACEBACK=1. So is
    a file that the system does not give.
    """
    try:
        yield
    except UpwellError as exc:
        _end(str(exc), exc.exit_code, exc)
    except OSError as exc:
        if exc.filename is not None:
            why = f"{os.fsdecode(exc.filename)}: {exc.strerror}; look at the path and its rights"
        elif exc.errno in NO_ROOM:
            why = f"what it says cannot be written ({exc.strerror})"
            drop_output()
        else:  # a mistake of ours, or a pipe that nobody reads
            raise
        _end(why, ExitCode.FAILED, exc)


def drop_output() -> None:
    """Where nobody can take it: what is still to be written would be tried once more at the end,
    and make another exit code.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _end(why: str, code: ExitCode, exc: BaseException) -> NoReturn:
    if os.environ.get("UPWELL_TRACEBACK") == "1":
        raise exc
    tell(f"upwell: {why}", style="red")
    raise typer.Exit(code) from exc


@contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C and SIGTERM end a command in order, with all that it started."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    except KeyboardInterrupt:
        tell("stopped")
        raise typer.Exit(ExitCode.INTERRUPTED) from None


def print_json(value: Any) -> None:
    """One line on standard output, at once; all else that a command says goes to the error
    output.
    """
    sys.stdout.write(json_line(value))
    sys.stdout.flush()


def json_line(value: Any) -> str:
    """One line with its end; keys may be names of an enumeration, such as topics."""
    options = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
    return orjson.dumps(value, option=options).decode() + "\n"
