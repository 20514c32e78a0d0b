"""CSV with named columns, by a mapping in TOML that says which column is which field of which topic
(docs/import.md).
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from stream.replay.importers.draft import Draft
from stream.replay.importers.text import Row, csv_rows
from stream.replay.importers.values import DirtyError, number, text, time_ms
from upwell.errors import LogError
from upwell.events import Topic, type_of_topic

__all__ = ["read_mapping"]

_KNOWN = {"name", "topic", "columns", "constants", "values", "delimiter", "time", "zone", "list"}
_TOPICS = (Topic.ITEMS, Topic.CLICKS, Topic.REVIEWS, Topic.QUERIES)
_DELIMITERS = ",;\t|"
_NUMBERS = frozenset({"rating", "price", "completion"})
_WHOLE = frozenset({"dwell_ms", "position"})
_LONG = {"title": 1_000, "text": 20_000}


@dataclass(frozen=True, slots=True)
class _Table:
    """One [[files]] of the mapping. name: a pattern of file names."""

    name: str
    topic: Topic
    columns: Mapping[str, str]
    constants: Mapping[str, Any]
    values: Mapping[str, Mapping[str, str]]
    delimiter: str | None
    time: str
    zone: ZoneInfo
    separator: str


def read_mapping(
    mapping: Path, paths: Sequence[Path], dirty: Counter[str]
) -> tuple[Iterator[Draft | DirtyError], set[Path]]:
    """The drafts of all files that the mapping names, and these files. Raises `LogError`."""
    tables = _tables(mapping)
    used = {path: table for table in tables for path in paths if fnmatch(path.name, table.name)}
    if not used:
        names = ", ".join(table.name for table in tables)
        raise LogError(f"{mapping}: no file here is named {names}")
    for path, table in used.items():
        _check_header(path, table)
    return (draft for path, table in used.items() for draft in _drafts(path, table, dirty)), set(
        used
    )


def _tables(mapping: Path) -> list[_Table]:
    try:
        found = tomllib.loads(mapping.read_text(encoding="utf-8-sig"))
    except OSError as exc:
        raise LogError(f"the mapping {mapping} cannot be read ({exc.strerror})") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise LogError(f"the mapping {mapping} is no TOML: {exc}") from exc
    tables = found.get("files")
    if not isinstance(tables, list) or not tables:
        raise LogError(f"the mapping {mapping} has no [[files]]: docs/import.md has an example")
    return [_table(mapping, table) for table in tables]


def _table(mapping: Path, given: Mapping[str, Any]) -> _Table:
    if unknown := given.keys() - _KNOWN:
        raise LogError(
            f"{mapping}: {', '.join(sorted(unknown))} is no setting; known are "
            f"{', '.join(sorted(_KNOWN))}"
        )
    topic = given.get("topic")
    if topic not in _TOPICS:
        raise LogError(f"{mapping}: topic is {topic!r:.40}; known are {', '.join(_TOPICS)}")
    columns, constants = given.get("columns", {}), given.get("constants", {})
    known = {field.name for field in fields(type_of_topic[Topic(topic)])}
    if unknown := (columns.keys() | constants.keys()) - known:
        raise LogError(
            f"{mapping}: {topic} has no {', '.join(sorted(unknown))}; it has "
            f"{', '.join(sorted(known))}"
        )
    try:
        zone = ZoneInfo(given.get("zone", "UTC"))
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise LogError(f"{mapping}: there is no time zone {given['zone']!r:.40}") from exc
    return _Table(
        given.get("name", "*"),
        Topic(topic),
        columns,
        constants,
        given.get("values", {}),
        given.get("delimiter"),
        given.get("time", "auto"),
        zone,
        given.get("list", "|"),
    )


def _check_header(path: Path, table: _Table) -> None:
    for row in csv_rows(path, Counter(), _delimiter(path, table)):
        if missing := [one for one in table.columns.values() if one not in row]:
            raise LogError(f"{path} has no column {', '.join(missing)}; it has {', '.join(row)}")
        return


def _delimiter(path: Path, table: _Table) -> str:
    """The mapping's, else the one that the header has most of."""
    from stream.replay.importers.kinds import head_of

    if table.delimiter is not None:
        return table.delimiter
    head = head_of(path)
    return max(_DELIMITERS, key=head[0].count) if head else ","


def _drafts(path: Path, table: _Table, dirty: Counter[str]) -> Iterator[Draft | DirtyError]:
    for row in csv_rows(path, dirty, _delimiter(path, table)):
        try:
            yield _draft(row, table)
        except DirtyError as exc:
            yield exc


def _draft(row: Row, table: _Table) -> Draft:
    value: dict[str, Any] = dict(table.constants)
    for name, column in table.columns.items():
        if name != "ts" and (one := _value(name, row[column], table)) is not None:
            value[name] = one
    if "ts" in table.columns:
        return Draft(table.topic, value, time_ms(row[table.columns["ts"]], table.time, table.zone))
    if table.topic is not Topic.ITEMS:
        raise DirtyError("no_time")
    return Draft(table.topic, {"title": "", "item_id": "", **value}, None)


def _value(name: str, shown: str, table: _Table) -> Any:
    if name in table.values:
        shown = table.values[name].get(shown, shown)
    if name == "categories":
        return [one.strip() for one in shown.split(table.separator) if one.strip()]
    if name in _NUMBERS or name in _WHOLE:
        found = number(shown)
        return int(found) if found is not None and name in _WHOLE else found
    if name in _LONG:
        return text(shown, _LONG[name])
    if name == "deleted":
        return shown.lower() in ("1", "true", "yes")
    return shown or None
