"""ReChorus: `train.csv` (with `dev.csv` and `test.csv`, where they are there) and `item_meta.csv`,
whose columns `r_…` are relations between items.

There are no titles: an item is named by its number. What the events were is not said either: each
is a click.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import orjson

from stream.replay.importers.draft import Draft, Files, Head, Kind, item
from stream.replay.importers.shops import click
from stream.replay.importers.text import Row, csv_rows
from stream.replay.importers.values import DirtyError

__all__ = ["RECHORUS"]

_RELATION = "r_"
_ATTRIBUTE = ("i_", "_c")
_EVENT = ["user_id", "item_id", "time"]
MOST_RELATED = 256  # that an event may name under one relation


def _events(head: Head) -> bool:
    return head[0].split("\t")[:3] == _EVENT


def _items(head: Head) -> bool:
    columns = head[0].split("\t")
    return columns[0] == "item_id" and any(one[:2] in ("i_", _RELATION) for one in columns[1:])


def _read(files: Files, dirty: Counter[str]) -> Iterator[Draft | DirtyError]:
    for path in files.get("items", ()):
        for row in csv_rows(path, dirty, "\t"):
            try:
                yield _item(row)
            except DirtyError as exc:
                yield exc
    for path in files["events"]:
        for row in csv_rows(path, dirty, "\t"):
            yield click(row["user_id"], row["item_id"], row["time"], "click")


def _item(row: Row) -> Draft:
    item_id = row["item_id"]
    before, after = _ATTRIBUTE
    categories = [
        f"{name.removeprefix(before).removesuffix(after)} {value}"
        for name, value in row.items()
        if name.startswith(before) and not name.endswith("_f") and value
    ]
    relations = {
        name.removeprefix(_RELATION): related
        for name, value in row.items()
        if name.startswith(_RELATION) and (related := _related(value))
    }
    return item(item_id, f"item {item_id}", categories=categories, relations=relations)


def _related(shown: str) -> list[str]:
    try:
        found = orjson.loads(shown or "[]")
    except orjson.JSONDecodeError as exc:
        raise DirtyError("no_list") from exc
    if not isinstance(found, list):
        raise DirtyError("no_list")
    return [str(one) for one in found[:MOST_RELATED]]


RECHORUS = Kind(
    "rechorus",
    "train.csv, dev.csv, test.csv, item_meta.csv, with tabs",
    {"events": _events, "items": _items},
    frozenset({"events"}),
    _read,
)
