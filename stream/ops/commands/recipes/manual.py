"""What the manual says of `upwell recipe`, and of the processes of encode workers and uses."""

from __future__ import annotations

from collections.abc import Mapping

from stream.ops.commands.entry import Entry
from upwell.system.exit_codes import ExitCode

__all__ = ["RECIPES"]

_A_USE = (ExitCode.BROKER, ExitCode.ENCODER, ExitCode.MODEL, ExitCode.UNFORESEEN)

RECIPES: Mapping[str, Entry] = {
    "worker encode": Entry(
        "upwell worker encode", (ExitCode.BROKER, ExitCode.ENCODER, ExitCode.UNFORESEEN)
    ),
    "worker desk": Entry("upwell worker desk", _A_USE),
    "worker watch": Entry("upwell worker watch", _A_USE),
    "recipe": Entry(
        "upwell recipe video",
        (ExitCode.ENCODER, ExitCode.LOG),
        "what was found (without a name: `recipes`, what each is for); without `--json` it is the "
        "last line of standard output, behind the table",
        {
            "recipe": "its name",
            "said": "what its events are, and whether they are recorded or drawn",
            "seed": "of every draw",
            "figures": "what its page in docs/uses says: of each side of the table what lists were "
            "worth",
            "wall_s": "seconds in all",
        },
    ),
}
