"""Reviews as JSON lines: Amazon Reviews of 2018 and of 2023, and Yelp.

Of 2023 the item is the `parent_asin`, by which the metadata go. Their stars are ratings, their
words the text, the title or summary first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from stream.replay.importers.draft import Draft, Files, Head, Kind, item
from stream.replay.importers.text import json_rows
from stream.replay.importers.values import DirtyError, joined, number, text, time_ms
from upwell.events import Topic

__all__ = ["AMAZON2018", "AMAZON2023", "YELP"]

Object = Mapping[str, Any]


def keys(*needed: str, without: str = "") -> Any:
    """Whether the first line is a JSON object with these keys."""

    def fits(head: Head) -> bool:
        try:
            value = orjson.loads(head[0])
        except orjson.JSONDecodeError:
            return False
        return isinstance(value, dict) and {*needed} <= value.keys() and without not in value

    return fits


def _review(user: object, about: object, ts: object, **said: object) -> Draft | DirtyError:
    try:
        when = time_ms(ts)
    except DirtyError as exc:
        return exc
    value = {"user_id": user, "item_id": about, **said}
    return Draft(Topic.REVIEWS, {k: one for k, one in value.items() if one is not None}, when)


def _words(value: object) -> list[str]:
    """Of a list of texts, or of one; of a list in a list the inner ones."""
    if isinstance(value, list):
        return [word for one in value for word in _words(one)]
    return [word] if (word := text(value, 256)) else []


def _amazon2018(files: Files, dirty: Counter[str]) -> Iterator[Draft | DirtyError]:
    for path in files.get("meta", ()):
        for row in json_rows(path, dirty):
            yield item(
                str(row.get("asin", "")),
                text(row.get("title"), 1_000),
                text=joined(*_long(row.get("description"))),
                categories=_words(row.get("category"))[:64],
                brand=text(row.get("brand"), 256),
                price=number(row.get("price")),
            )
    for path in files["reviews"]:
        for row in json_rows(path, dirty):
            yield _review(
                row.get("reviewerID"),
                row.get("asin"),
                row.get("unixReviewTime") or row.get("reviewTime"),
                rating=number(row.get("overall")),
                text=joined(row.get("summary"), row.get("reviewText")),
            )


def _amazon2023(files: Files, dirty: Counter[str]) -> Iterator[Draft | DirtyError]:
    for path in files.get("meta", ()):
        for row in json_rows(path, dirty):
            categories = _words(row.get("categories")) or _words(row.get("main_category"))
            yield item(
                str(row.get("parent_asin", "")),
                text(row.get("title"), 1_000),
                text=joined(*_long(row.get("features")), *_long(row.get("description"))),
                categories=categories[:64],
                brand=text(row.get("store"), 256),
                price=number(row.get("price")),
            )
    for path in files["reviews"]:
        for row in json_rows(path, dirty):
            yield _review(
                row.get("user_id"),
                row.get("parent_asin") or row.get("asin"),
                row.get("timestamp"),
                rating=number(row.get("rating")),
                text=joined(row.get("title"), row.get("text")),
            )


def _long(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _yelp(files: Files, dirty: Counter[str]) -> Iterator[Draft | DirtyError]:
    for path in files.get("businesses", ()):
        for row in json_rows(path, dirty):
            categories = text(row.get("categories")) or ""
            found = [one.strip() for one in categories.split(",") if one.strip()]
            place = [one for one in (row.get("city"), row.get("state")) if isinstance(one, str)]
            yield item(
                str(row.get("business_id", "")),
                text(row.get("name"), 1_000),
                text=text(", ".join(place)),
                categories=found[:64],
            )
    for role in ("reviews", "tips"):
        for path in files.get(role, ()):
            for row in json_rows(path, dirty):
                yield _review(
                    row.get("user_id"),
                    row.get("business_id"),
                    row.get("date"),
                    rating=number(row.get("stars")),
                    text=text(row.get("text")),
                )


AMAZON2018 = Kind(
    "amazon2018",
    "JSON lines of reviews (reviewerID, asin, overall) and of metadata (asin, title)",
    {
        "reviews": keys("reviewerID", "asin", "overall"),
        "meta": keys("asin", "title", without="parent_asin"),
    },
    frozenset({"reviews"}),
    _amazon2018,
)
AMAZON2023 = Kind(
    "amazon2023",
    "JSON lines of reviews (user_id, parent_asin, rating) and of metadata (parent_asin, title)",
    {
        "reviews": keys("user_id", "parent_asin", "rating", "timestamp"),
        "meta": keys("parent_asin", "title", "main_category"),
    },
    frozenset({"reviews"}),
    _amazon2023,
)
YELP = Kind(
    "yelp",
    "JSON lines of reviews, tips and businesses",
    {
        "reviews": keys("review_id", "business_id", "user_id", "stars"),
        "tips": keys("business_id", "user_id", "text", "date", without="review_id"),
        "businesses": keys("business_id", "name", "categories"),
    },
    frozenset({"reviews"}),
    _yelp,
)
