"""Other people's text files: plain or gzip, with a byte-order mark, in UTF-8, UTF-16 or Latin-1,
with any line ends and quoted newlines. Memory stays flat whatever the file.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Literal

import orjson

from upwell.errors import LogError

__all__ = ["Row", "csv_rows", "json_rows", "lines", "split_rows"]

MAX_LINE = 16 << 20
"""Bytes; what is longer comes cut."""
_MAX_FIELD = 1 << 20
_GZIP = b"\x1f\x8b"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_BOM = "\ufeff"

Row = dict[str, str]


def lines(path: Path, dirty: Counter[str]) -> Generator[str]:
    """The file's lines with their ends, without a byte-order mark.

    A line that is no UTF-8 is read as Latin-1 (Windows-1252) and counted as `(latin-1)`; a gzip
    file that was cut short as `truncated_file`. Raises `LogError` where it cannot be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(2)
            file.seek(0)
            yield from _decoded(gzip.GzipFile(fileobj=file) if head == _GZIP else file, dirty)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        dirty["truncated_file"] += 1
    except OSError as exc:
        raise LogError(f"{path} cannot be read ({exc.strerror or exc})") from exc


def _decoded(file: gzip.GzipFile | io.BufferedReader, dirty: Counter[str]) -> Iterator[str]:
    first = file.readline(MAX_LINE)
    if first.startswith(_UTF16):
        file.seek(0)
        yield from _wrapped(io.TextIOWrapper(file, encoding="utf-16", errors="replace", newline=""))
        return
    if b"\r" in first.rstrip(b"\r\n") and not first.endswith(b"\n"):
        file.seek(0)  # line ends of old Macs: a carriage return alone
        yield from _wrapped(
            io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline=None)
        )
        return
    raw, bom = first, _BOM
    while raw:
        yield _text(raw, dirty).removeprefix(bom)
        raw, bom = file.readline(MAX_LINE), ""


def _wrapped(file: io.TextIOWrapper) -> Iterator[str]:
    try:
        yield from file
    finally:
        with suppress(ValueError):  # where the file itself was closed first
            file.detach()  # whoever opened it closes it


def _text(raw: bytes, dirty: Counter[str]) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        dirty["(latin-1)"] += 1
        try:
            return raw.decode("cp1252")
        except UnicodeDecodeError:
            return raw.decode("latin-1")


def csv_rows(
    path: Path, dirty: Counter[str], delimiter: str = ",", names: list[str] | None = None
) -> Iterator[Row]:
    """Rows by the names of the header, or by `names` where the file has none. Values are stripped.

    A row of fewer or more fields is `wrong_number_of_fields`, an unclosed quote `broken_quotes`.
    """
    csv.field_size_limit(_MAX_FIELD)
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if delimiter in ",;" else csv.QUOTE_NONE
    with closing(lines(path, dirty)) as source:
        reader = csv.reader(source, delimiter=delimiter, quoting=quoting)
        header = names
        while True:
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error:
                dirty["broken_quotes"] += 1
                continue
            if header is None:
                header = [field.strip() for field in fields]
            elif len(fields) == len(header):
                yield {name: one.strip() for name, one in zip(header, fields, strict=True)}
            elif any(map(str.strip, fields)):
                dirty["wrong_number_of_fields"] += 1


def split_rows(path: Path, dirty: Counter[str], separator: str, names: list[str]) -> Iterator[Row]:
    """Rows of a file without header or quotes whose separator may be several characters (`::`)."""
    for line in lines(path, dirty):
        fields = line.rstrip("\r\n").split(separator)
        if len(fields) >= len(names):
            yield dict(zip(names, map(str.strip, fields), strict=False))
        elif line.strip():
            dirty["wrong_number_of_fields"] += 1


def json_rows(path: Path, dirty: Counter[str]) -> Iterator[dict[str, object]]:
    """One JSON object a line; another line is `bad_json`."""
    for line in lines(path, dirty):
        if line.isspace():
            continue
        try:
            value = orjson.loads(line.encode(errors="replace"))
        except orjson.JSONDecodeError:
            value = None
        if isinstance(value, dict):
            yield value
        else:
            dirty["bad_json"] += 1
