"""What every command of the command line needs: the settings, a client, one line for a fault, an
orderly end, JSON last.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console

from upwell.client import UpwellClient, find_broker
from upwell.errors import UpwellError
from upwell.reasons import Sentences
from upwell.settings import Settings, load_settings

__all__ = [
    "Json",
    "Shares",
    "client",
    "connected",
    "console",
    "faults",
    "interruptible",
    "print_json",
    "sentences",
    "settings",
]

console = Console(stderr=True)

Shares = Annotated[
    bool, typer.Option("--shares", help="Show signals and their shares, not sentences.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line.")]


def settings() -> Settings:
    """From the environment and, where there is one, `upwell.toml` in this folder."""
    file = Path("upwell.toml")
    return load_settings(os.environ, file if file.exists() else None)


def connected() -> Settings:
    """The settings with the address of the broker that runs."""
    own = settings()
    return replace(own, kafka=replace(own.kafka, address=find_broker(own)))


def sentences(shares: bool) -> Sentences | None:
    """Of the settings; None where shares are wanted. Raises `SettingsError`."""
    reasons = settings().reasons
    return None if shares else Sentences(reasons.language, reasons.file)


@contextmanager
def client() -> Iterator[UpwellClient]:
    """Of the broker that runs, closed at the end."""
    own = connected()
    with UpwellClient(own.kafka.address or "", own.kafka) as upwell:
        yield upwell


@contextmanager
def faults() -> Iterator[None]:
    """A fault that a person can mend is one line; its traceback only with UPWELL_TRACEBACK=1."""
    try:
        yield
    except UpwellError as exc:
        if os.environ.get("UPWELL_TRACEBACK") == "1":
            raise
        console.print(f"upwell: {exc}", style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(exc.exit_code) from exc


@contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C and SIGTERM end a command in order, with all that it started."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    except KeyboardInterrupt:
        console.print("stopped")
        raise typer.Exit(130) from None


def print_json(value: Any) -> None:
    """One line on standard output; all else that a command says goes to standard error."""
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY).decode() + "\n")
