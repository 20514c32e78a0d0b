"""`upwell export`: what is held of a user, for people and as one JSON document."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stream.ops.commands.command import (
    Json,
    connected,
    console,
    faults,
    interruptible,
    json_line,
    print_json,
    shown,
    tell,
)
from upwell.system.clock import now_ms

__all__ = ["export"]


def export(
    user: Annotated[str, typer.Option(help="Whose, by the app's own id.")],
    events: Annotated[
        bool, typer.Option("--events", help="The records on topics too, not their counts alone.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Write the JSON to this new file, for its owner alone.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show all that is held of a user: state, newest list, what the learner keeps, what stands on
    topics, guests who are the same person. It changes nothing; the engine may run.
    """
    from stream.ops.access.document import export as gather
    from stream.ops.access.show import show_export
    from stream.replay.progress import watched
    from upwell.errors import SettingsError
    from upwell.system.files import write_first

    with faults(), interruptible():
        if out is not None and out.exists():
            raise SettingsError(f"{out} is there already: name a new file")
        own = connected()
        with watched(console) as moved:
            found = gather(own, user, events, now_ms(), moved)
        show_export(found, shown(stderr=as_json))
        if out is not None:
            write_first(out, json_line(found).encode())
            tell(f"written to {out}")
        if as_json:
            print_json(found)
