"""`upwell pictures`: what a log's pictures and words have in common."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from stream.ops.commands.command import Json, faults, interruptible, print_json, settings, tell
from stream.ops.commands.help import add, new_app
from stream.ops.commands.play import Log

__all__ = ["pictures_app"]

pictures_app = new_app("pictures", "Pictures of items among their words.")


def fit(
    log: Log,
    out: Annotated[Path, typer.Option(help="The file, for UPWELL_IMAGE_MAP.")],
    as_json: Json = False,
) -> None:
    """Fit the map by which words find pictures, on a log's items that have both: by the models of
    UPWELL_IMAGE_ENCODER and UPWELL_ENCODER, tested on a fifth that it has not seen.
    """
    from stream.replay.picture_map import fit_pictures

    with faults(), interruptible():
        found = fit_pictures(log, out, settings(), time.time_ns() // 1_000_000, tell)
        tell(
            f"words find {found.found:.0%} of {found.held_out:,} pictures that were not fitted "
            f"among the first ten ({found.chance:.0%} by chance); fitted on {found.pairs:,}: set "
            f"UPWELL_IMAGE_MAP to {found.file}"
        )
        if as_json:
            print_json(found)


add(pictures_app, "pictures fit", fit)
