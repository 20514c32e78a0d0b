"""`upwell card`: a model card of the running engine."""

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
    print_json,
    tell,
)
from upwell.system.clock import now_ms

__all__ = ["card"]


def card(
    out: Annotated[Path | None, typer.Option(help="Write the Markdown to this file.")] = None,
    as_json: Json = False,
) -> None:
    """Print a model card of the running engine in Markdown: versions, data seen, settings, figures,
    who is shown, privacy, promises and limits. What nobody measured says so.
    """
    from stream.ops.card.gather import card as gather
    from stream.ops.card.page import page
    from stream.replay.progress import watched
    from upwell.system.files import write_whole

    with faults(), interruptible():
        with watched(console) as moved:
            found = gather(connected(), now_ms(), moved)
        if out is not None:
            write_whole(out, page(found).encode())
            tell(f"written to {out}")
        if as_json:
            print_json(found)
        elif out is None:
            typer.echo(page(found), nl=False)
