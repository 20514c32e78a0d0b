"""What the manual says of `upwell recipe`."""

from __future__ import annotations

from collections.abc import Mapping

from stream.ops.commands.entry import Entry
from upwell.system.exit_codes import ExitCode

__all__ = ["RECIPES"]

RECIPES: Mapping[str, Entry] = {
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
