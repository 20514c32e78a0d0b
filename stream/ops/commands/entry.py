"""What is told of one command, and what any may end with. `manual` has them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from upwell.system.exit_codes import ExitCode

__all__ = ["ALWAYS", "Entry"]

ALWAYS = (
    ExitCode.DONE,
    ExitCode.FAILED,
    ExitCode.REFUSED,
    ExitCode.INSTALLATION,
    ExitCode.INTERRUPTED,
)
"""What any command may end with."""


@dataclass(frozen=True, slots=True)
class Entry:
    """example: one command, complete. ends: exit codes beside `ALWAYS`. json: what is printed, in a
    sentence. fields: of that object, what each is; none where a schema says so. stream: an object a
    line, as they come.
    """

    example: str
    ends: tuple[ExitCode, ...] = ()
    json: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    stream: bool = False
