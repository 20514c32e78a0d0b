"""What a process of Upwell ends with: one table for the command line, the workers and the health
check. docs/cli.md shows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

__all__ = ["MEANINGS", "ExitCode"]


class ExitCode(IntEnum):
    """Stable: scripts and supervisors tell by it what to do."""

    DONE = 0
    FAILED = 1
    REFUSED = 2
    BROKER = 3
    STORE = 4
    ENCODER = 5
    LOG = 6
    MODEL = 7
    SNAPSHOT = 8
    LETTER = 9
    INSTALLATION = 10
    UNFORESEEN = 70
    STALLED = 75
    INTERRUPTED = 130


MEANINGS: Mapping[ExitCode, str] = {
    ExitCode.DONE: "done",
    ExitCode.FAILED: "failed: something to mend was found, as the last line says",
    ExitCode.REFUSED: "refused before anything was done: a wrong option, argument or setting",
    ExitCode.BROKER: "Kafka cannot be reached, started or used, or nobody answered in time",
    ExitCode.STORE: "the vector store cannot be reached, opened or written",
    ExitCode.ENCODER: "the language model cannot be loaded, or fails",
    ExitCode.LOG: "a log or the files of an import cannot be read, or hold too few events",
    ExitCode.MODEL: "a checkpoint or a version of the model is missing, torn or does not fit",
    ExitCode.SNAPSHOT: "a snapshot cannot be taken, or is not one that can be restored here",
    ExitCode.LETTER: "there is no such dead letter",
    ExitCode.INSTALLATION: "a folder that would be run is not Upwell's own",
    ExitCode.UNFORESEEN: "a worker met an error that nobody foresaw (EX_SOFTWARE of sysexits.h)",
    ExitCode.STALLED: "a serve worker acknowledged nothing for too long (EX_TEMPFAIL)",
    ExitCode.INTERRUPTED: "ended in order by Ctrl-C or SIGTERM",
}
