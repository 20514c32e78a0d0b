"""`upwell snapshot`, `restore` and `rollback`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from stream.ops.commands.command import (
    By,
    Json,
    Why,
    console,
    faults,
    interruptible,
    print_json,
    settings,
    tell,
)
from upwell.events import ControlKind

__all__ = ["restore", "rollback", "snapshot"]

Folder = Annotated[Path, typer.Argument(help="A folder of a snapshot.")]


def snapshot(folder: Folder, as_json: Json = False) -> None:
    """Save model, users, items and offsets as of one point to a new folder; the engine may run."""
    from stream.ops.snapshot import snapshot as take
    from stream.replay.progress import watched

    with faults(), interruptible():
        with watched(console) as moved:
            done = take(settings(), folder, tell, moved)
        _say(done, as_json)


def restore(
    folder: Folder,
    erasures: Annotated[
        list[Path] | None,
        typer.Option(help="A ledger of erasures, or the data folder that has it; may be repeated."),
    ] = None,
    no_erasures: Annotated[
        bool, typer.Option("--no-erasures", help="Restore though no ledger is left.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Bring a snapshot into an empty data folder, without users who were forgotten since it was
    taken; the engine goes on from its offsets.
    """
    from stream.ops.snapshot import restore as bring_back
    from stream.replay.progress import watched

    with faults(), interruptible():
        with watched(console) as moved:
            none: list[Path] | None = [] if no_erasures else None
            done = bring_back(settings(), folder, tell, moved, erasures or none)
        _say(done, as_json)


def rollback(
    version: Annotated[
        str, typer.Argument(help="A version that a checkpoint holds; a wrong one lists them.")
    ],
    by: By = "upwell rollback",
    why: Why = "not said",
    as_json: Json = False,
) -> None:
    """Make an older version of the model the newest one; the engine may run. Who asks for it, and
    why, stands on the audit log.
    """
    from stream.ops.on_record import asked_for
    from stream.ops.snapshot import rollback as roll_back

    with faults(), interruptible():
        asked = asked_for(ControlKind.ROLLBACK_MODEL, version, by, why)
        roll_back(settings(), version, tell, asked)
        _say({"version": version}, as_json)


def _say(done: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(done)
