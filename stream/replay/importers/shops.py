"""Shops' logs: RetailRocket and H&M.

RetailRocket has no titles (its properties are hashed): an item is named by its number. H&M tells
the day of a purchase alone; two equal rows are two pieces bought at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from stream.replay.importers.draft import Draft, Files, Head, Kind, item
from stream.replay.importers.text import csv_rows
from stream.replay.importers.values import DirtyError, text, time_ms
from upwell.events import Topic

__all__ = ["HM", "RETAILROCKET", "click"]

_ACTIONS = {"view": "view", "addtocart": "cart", "transaction": "purchase"}
_HM_CATEGORIES = ("product_type_name", "product_group_name", "index_group_name", "section_name")


def columns(*needed: str) -> Any:
    """Whether a comma-separated header has these columns."""

    def fits(head: Head) -> bool:
        return {*needed} <= {one.strip().strip('"') for one in head[0].split(",")}

    return fits


def click(user_id: str, item_id: str, ts: object, action: str) -> Draft | DirtyError:
    """ts: as it stands in the file."""
    try:
        when = time_ms(ts)
    except DirtyError as exc:
        return exc
    value = {"user_id": user_id, "item_id": item_id, "action": action}
    return Draft(Topic.CLICKS, value, when)


def _retailrocket(files: Files, dirty: Counter[str]) -> Iterator[Draft | DirtyError]:
    parents = {
        row["categoryid"]: row["parentid"]
        for path in files.get("categories", ())
        for row in csv_rows(path, dirty)
    }
    for path in files.get("properties", ()):
        for row in csv_rows(path, dirty):
            if row["property"] != "categoryid":
                continue
            try:
                ts = time_ms(row["timestamp"])
            except DirtyError as exc:
                yield exc
                continue
            found = [row["value"], parents.get(row["value"], "")]
            categories = [f"category {one}" for one in found if one]
            yield item(row["itemid"], f"item {row['itemid']}", ts, categories=categories)
    for path in files["events"]:
        for row in csv_rows(path, dirty):
            action = _ACTIONS.get(row["event"])
            if action is None:
                yield DirtyError("unknown_event")
            else:
                yield click(row["visitorid"], row["itemid"], row["timestamp"], action)


def _hm(files: Files, dirty: Counter[str]) -> Iterator[Draft | DirtyError]:
    for path in files.get("articles", ()):
        for row in csv_rows(path, dirty):
            found = dict.fromkeys(text(row.get(name)) for name in _HM_CATEGORIES)
            yield item(
                row["article_id"],
                text(row["prod_name"], 1_000),
                text=text(row.get("detail_desc")),
                categories=[one for one in found if one],
                group=text(row.get("product_code"), 256),
            )
    for path in files["transactions"]:
        for row in csv_rows(path, dirty):
            yield click(row["customer_id"], row["article_id"], row["t_dat"], "purchase")


RETAILROCKET = Kind(
    "retailrocket",
    "events.csv, item_properties_part1.csv, …, category_tree.csv",
    {
        "events": columns("timestamp", "visitorid", "event", "itemid"),
        "properties": columns("timestamp", "itemid", "property", "value"),
        "categories": columns("categoryid", "parentid"),
    },
    frozenset({"events"}),
    _retailrocket,
)
HM = Kind(
    "hm",
    "transactions_train.csv, articles.csv",
    {
        "transactions": columns("t_dat", "customer_id", "article_id"),
        "articles": columns("article_id", "prod_name"),
    },
    frozenset({"transactions"}),
    _hm,
    repeats=True,
)
