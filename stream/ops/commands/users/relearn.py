"""`upwell relearn`: a learner that begins afresh without the forgotten, asked for by hand."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from stream.ops.commands.command import (
    Json,
    faults,
    interruptible,
    print_json,
    settings,
    tell,
)

__all__ = ["relearn"]

ANSWER_SECONDS = 60.0
LOOK_SECONDS = 0.5


def relearn(
    reach: Annotated[
        float,
        typer.Option(
            help="Of what was learned, the share that `examples` must still hold; what it does not "
            "hold is unlearned for everybody.",
            min=0.0,
            max=1.0,
        ),
    ] = 1.0,
    wait: Annotated[
        float, typer.Option(help="Seconds to wait until it is in place.", min=0.0)
    ] = 0.0,
    as_json: Json = False,
) -> None:
    """Have a learner begin afresh without what forgotten users did, and take the place of the one
    that runs. The engine runs meanwhile, on this data folder.
    """
    from stream.broker.connect import models_folder
    from stream.broker.rollback import ask_afresh
    from stream.learn.rollback import newest_afresh
    from upwell.errors import SnapshotError

    with faults(), interruptible():
        own = settings()
        folder = models_folder(own)
        before = newest_afresh(folder)
        ask_afresh(own.data / "models", reach, ANSWER_SECONDS)
        tell("a learner begins afresh; learn's log says when it is in place, or why it is not")
        deadline, found = time.monotonic() + wait, None
        while found is None and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
            newest = newest_afresh(folder)
            found = newest if newest != before else None
        if wait and found is None:
            raise SnapshotError(
                f"not in place within {wait:.0f} s: learn's log says how far it is, or why it does "
                "not begin"
            )
        if found is not None:
            tell(f"version {found[1]} is in place, and no older one is left")
        if as_json:
            print_json({"version": found and found[1]})
