"""MIND (Microsoft News): behaviors.tsv and news.tsv. A row of behaviors is an impression, and a
click a millisecond later for each item that was clicked.

The clicks of the column History have no times and are left out. The order of the shown items is the
file's; it is not told where on the page they stood.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from hashlib import blake2b

from stream.replay.importers.draft import Draft, Files, Head, Kind, item
from stream.replay.importers.text import Row, csv_rows
from stream.replay.importers.values import DirtyError, joined, text, time_ms
from upwell.events import Topic

__all__ = ["MIND"]

_BEHAVIORS = ["impression_id", "user_id", "time", "history", "impressions"]
_NEWS = ["news_id", "category", "subcategory", "title", "abstract", "url"]
_NEWS += ["title_entities", "abstract_entities"]
_TIME = "%m/%d/%Y %I:%M:%S %p"
_SHOWN = re.compile(r"(\S+?)(?:-([01]))?")
_LATER_MS = 1


def _behaviors(head: Head) -> bool:
    fields = head[0].split("\t")
    if len(fields) != len(_BEHAVIORS):
        return False
    try:
        time_ms(fields[2], _TIME)
    except DirtyError:
        return False
    return True


def _news(head: Head) -> bool:
    fields = head[0].split("\t")
    return len(fields) == len(_NEWS) and fields[6].startswith(("[", '"'))


def _read(files: Files, dirty: Counter[str]) -> Iterator[Draft | DirtyError]:
    for path in files.get("news", ()):
        for row in csv_rows(path, dirty, "\t", _NEWS):
            categories = [one for one in (row["category"], row["subcategory"]) if one]
            words = joined(row["abstract"])
            yield item(row["news_id"], text(row["title"], 1_000), text=words, categories=categories)
    for path in files["behaviors"]:
        for row in csv_rows(path, dirty, "\t", _BEHAVIORS):
            yield from _impression(row)


def _impression(row: Row) -> Iterator[Draft | DirtyError]:
    try:
        ts = time_ms(row["time"], _TIME)
    except DirtyError as exc:
        yield exc
        return
    shown = [match for one in row["impressions"].split() if (match := _SHOWN.fullmatch(one))]
    user_id = row["user_id"]
    named = f"{row['impression_id']}\n{user_id}\n{ts}".encode()
    list_id = blake2b(named, digest_size=16).hexdigest()
    value = {"user_id": user_id, "list_id": list_id, "item_ids": [one[1] for one in shown]}
    yield Draft(Topic.IMPRESSIONS, value, ts)
    for item_id in dict.fromkeys(one[1] for one in shown if one[2] == "1"):
        clicked = {"user_id": user_id, "item_id": item_id, "action": "click", "list_id": list_id}
        yield Draft(Topic.CLICKS, clicked, ts + _LATER_MS)


MIND = Kind(
    "mind",
    "behaviors.tsv, news.tsv",
    {"behaviors": _behaviors, "news": _news},
    frozenset({"behaviors"}),
    _read,
)
