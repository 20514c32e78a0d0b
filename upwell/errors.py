"""The one tree of Upwell's faults.

    UpwellError                 what a person has to mend; str() is one line: what, where, how
    ├── SettingsError           a setting is missing or wrong
    ├── BrokerError             Kafka cannot be reached, started or used
    ├── StoreError              the vector store cannot be reached, opened or written
    ├── EncoderError            the language model cannot be loaded or fails
    ├── LogError                a replay log cannot be read
    ├── ModelError              a checkpoint or a model update is missing, torn or does not fit
    ├── SnapshotError           a snapshot cannot be taken, or is not one that can be restored here
    ├── LetterError             there is no such dead letter
    ├── InstallationError       a folder that Upwell would run is not its own
    └── InvalidEventError       not what its topic promises (a dead letter, never stops the stream)

A bad event is data: the pipeline turns `InvalidEventError` into a dead letter. All others are
faults of the surroundings.
"""

from __future__ import annotations

from upwell.system.exit_codes import ExitCode

__all__ = [
    "BrokerError",
    "EncoderError",
    "InstallationError",
    "InvalidEventError",
    "LetterError",
    "LogError",
    "ModelError",
    "SettingsError",
    "SnapshotError",
    "StoreError",
    "UpwellError",
]


class UpwellError(Exception):
    """A fault that a person can mend. `exit_code` is what the command line ends with."""

    exit_code = ExitCode.FAILED


class SettingsError(UpwellError):
    """A setting is missing or wrong; the message names it and what would be right."""

    exit_code = ExitCode.REFUSED


class BrokerError(UpwellError):
    """Kafka cannot be reached, started or used."""

    exit_code = ExitCode.BROKER


class StoreError(UpwellError):
    """The vector store cannot be reached, opened or written."""

    exit_code = ExitCode.STORE


class EncoderError(UpwellError):
    """The language model cannot be loaded, or fails on text."""

    exit_code = ExitCode.ENCODER


class LogError(UpwellError):
    """A replay log cannot be read; the message carries the line number where there is one."""

    exit_code = ExitCode.LOG


class ModelError(UpwellError):
    """A checkpoint or a model update is missing, torn or does not fit this catalogue or encoder."""

    exit_code = ExitCode.MODEL


class SnapshotError(UpwellError):
    """A snapshot cannot be taken, is torn, or does not belong to these settings or this broker."""

    exit_code = ExitCode.SNAPSHOT


class LetterError(UpwellError):
    """There is no such dead letter."""

    exit_code = ExitCode.LETTER


class InstallationError(UpwellError):
    """A folder that Upwell would run (`stream`, `store`, …) is another distribution's."""

    exit_code = ExitCode.INSTALLATION


class InvalidEventError(UpwellError):
    """One event is not what its topic promises.

    `reason` is a stable short name (`missing_field`, `wrong_type`, …) for counting; `detail` a
    sentence for people.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
