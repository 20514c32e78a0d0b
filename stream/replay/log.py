"""Reads a replay log (`.jsonl` or `.jsonl.gz`, lines of {"topic", "key", "value"}) line by line:
memory stays flat.

It knows nothing about Kafka, nor whether a value is a good event (the stream tells that). A broken
line is a value in the stream, `BadLine`, so that the reader counts it, prints one line and goes on;
an unreadable file is a `LogError`.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import orjson

from stream.chain.validate import load_json
from upwell.errors import InvalidEventError, LogError
from upwell.events import Topic, type_of_topic
from upwell.fields import describe

__all__ = ["BadLine", "LogReader", "LogRecord", "read_log"]

MAX_LINE_BYTES = 16 << 20
MAX_VALUE_BYTES = 1_000_000
"""Of a value that can be sent: a broker takes records of 1 MiB, with key and frame, by default."""
_BOM = b"\xef\xbb\xbf"
_GZIP = b"\x1f\x8b"
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One record to send as it is. line: from 1. value: JSON, not validated."""

    line: int
    topic: Topic
    key: bytes | None
    value: bytes


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is no record.

    raw: its first 200 bytes. `str` is the one clear line for people.
    """

    line: int
    reason: str
    detail: str
    raw: bytes

    def __str__(self) -> str:
        return f"line {self.line:,}: {self.detail}"


def read_log(path: Path) -> Iterator[LogRecord | BadLine]:
    """All records and bad lines of a log, in its order.

    Raises `LogError` at once where the file is missing or empty.
    """
    reader = LogReader(path)
    return iter(reader)


class LogReader:
    """The log at `path`, read once by iterating; `progress` tells how far, for a progress bar.

    A byte-order mark at the start, Windows line ends and blank lines are read as usual. A gzip file
    that was cut short gives all that can be read, then one last `BadLine`. Raises `LogError` (one
    line: what, where, how to mend it).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file: BinaryIO = path.open("rb")
            self.total_bytes = path.stat().st_size
            head = self._file.read(2)
            self._file.seek(0)
        except FileNotFoundError as exc:
            raise LogError(
                f"there is no log {path}: give the path of a .jsonl or .jsonl.gz file"
            ) from exc
        except IsADirectoryError as exc:
            raise LogError(
                f"{path} is a folder: give the path of a .jsonl or .jsonl.gz file in it"
            ) from exc
        except OSError as exc:
            raise LogError(
                f"the log {path} cannot be read ({exc.strerror}): check its permissions"
            ) from exc
        if not head:
            self._file.close()
            raise LogError(f"the log {path} is empty: a log has one JSON object a line")
        self._packed = head == _GZIP
        if path.suffix == ".gz" and not self._packed:
            self._file.close()
            raise LogError(
                f"{path} is named .gz but is no gzip file: rename it .jsonl if it is plain "
                "text, or fetch it again"
            )

    @property
    def progress(self) -> tuple[int, int]:
        """Bytes of the file (compressed as it lies there) read so far, and all of them."""
        return (self.total_bytes if self._file.closed else self._file.tell(), self.total_bytes)

    def __iter__(self) -> Iterator[LogRecord | BadLine]:
        line = 0
        try:
            with self._file:
                for line, raw in enumerate(self._lines(), 1):
                    bare = raw.removeprefix(_BOM) if line == 1 else raw
                    if bare and not bare.isspace():
                        yield _record(line, bare)
        except (EOFError, zlib.error, gzip.BadGzipFile) as exc:
            why = "ends too early" if isinstance(exc, EOFError) else "is damaged"
            yield BadLine(
                line + 1,
                "truncated",
                f"the gzip file {why}; {line:,} lines could be read, fetch the log "
                f"{self.path} again",
                b"",
            )
        except OSError as exc:
            raise LogError(
                f"the log {self.path} cannot be read after line {line:,} ({exc.strerror or exc})"
            ) from exc

    def _lines(self) -> Iterator[bytes]:
        """Lines with their ends; one beyond MAX_LINE_BYTES comes cut, its rest skipped."""
        # No buffer around GzipFile: one would lose up to its own size of good lines where the file
        # was cut short.
        lines: BinaryIO | gzip.GzipFile = (
            gzip.GzipFile(fileobj=self._file) if self._packed else self._file
        )
        while raw := lines.readline(MAX_LINE_BYTES + 1):
            yield raw
            while len(raw) > MAX_LINE_BYTES and not raw.endswith(b"\n"):
                raw = lines.readline(MAX_LINE_BYTES + 1)


def _record(line: int, raw: bytes) -> LogRecord | BadLine:
    try:
        return _parsed(line, raw)
    except InvalidEventError as exc:
        return BadLine(line, exc.reason, exc.detail, raw[:_SHOWN])


def _parsed(line: int, raw: bytes) -> LogRecord:
    if len(raw) > MAX_LINE_BYTES:
        raise InvalidEventError("too_large", f"the line has more than {MAX_LINE_BYTES:,} bytes")
    outer = load_json(raw, limit=MAX_LINE_BYTES)
    if not isinstance(outer, dict):
        raise InvalidEventError(
            "not_an_object",
            'the line is no JSON object; it should be {"topic": …, "key": …, "value": {…}}',
        )
    for name in ("topic", "value"):
        if name not in outer:
            raise InvalidEventError(
                "missing_field",
                f'{name} is missing; a line is {{"topic": …, "key": …, "value": {{…}}}}',
            )
    topic, key = outer["topic"], outer.get("key")
    if not isinstance(topic, str) or topic not in _EVENT_TOPICS:
        shown = (
            "not a string"
            if not isinstance(topic, str)
            else f"“{topic[:40]}”"
            if topic[:40].isprintable()
            else describe(topic)
        )
        raise InvalidEventError(
            "unknown_topic", f"the topic is {shown}; known are {', '.join(_EVENT_TOPICS)}"
        )
    if key is not None and not isinstance(key, str):
        raise InvalidEventError(
            "wrong_type", "the key is no string: put it in quotes, or write null"
        )
    value = _written(outer["value"])
    if len(value) > MAX_VALUE_BYTES:
        raise InvalidEventError(
            "too_large",
            f"the value has {len(value):,} bytes, at most {MAX_VALUE_BYTES:,} can be sent",
        )
    return LogRecord(line, Topic(topic), None if key is None else key.encode(), value)


def _written(value: object) -> bytes:
    """As it is sent. orjson reads 1,024 levels and writes 254."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError as exc:
        raise InvalidEventError(
            "too_deep", "the value is nested more than 250 levels deep, an event is flat"
        ) from exc


_EVENT_TOPICS = tuple(topic.value for topic in type_of_topic)
