"""MovieLens (GroupLens): the CSVs of ml-latest, ml-20m, 25m and 32m; `::` of ml-1m and ml-10m; the
tabs and bars of ml-100k. A rating is a review, a tag a review of words alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stream.replay.importers.draft import Draft, Files, Head, Kind, item
from stream.replay.importers.text import Row, csv_rows, split_rows
from stream.replay.importers.values import DirtyError, number, text, time_ms
from upwell.events import Topic

__all__ = ["MOVIELENS"]

_RATING = ["userId", "movieId", "rating", "timestamp"]
_TAG = ["userId", "movieId", "tag", "timestamp"]
_MOVIE = ["movieId", "title", "genres"]
_NO_GENRE = "(no genres listed)"
_GENRES_100K = [
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime"),
    *("Documentary", "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery"),
    *("Romance", "Sci-Fi", "Thriller", "War", "Western"),
]
_ITEM_100K = ["movieId", "title", "release", "video", "imdb", *_GENRES_100K]


def _named(columns: list[str]) -> Any:
    return lambda head: head[0].split(",") == columns


def _four_numbers(separator: str) -> Any:
    """ml-1m and ml-10m tell ratings from tags by the third field."""

    def fits(head: Head) -> bool:
        fields = head[0].split(separator)
        return len(fields) == 4 and all(number(one) is not None for one in fields)

    return fits


def _tags_10m(head: Head) -> bool:
    fields = head[0].split("::")
    return len(fields) == 4 and number(fields[2]) is None and number(fields[3]) is not None


def _movies_dat(head: Head) -> bool:
    fields = head[0].split("::")
    return len(fields) == 3 and number(fields[0]) is not None


def _item_100k(head: Head) -> bool:
    return head[0].count("|") == len(_ITEM_100K) - 1


def _rows(files: Files, what: str, names: list[str], dirty: Counter[str]) -> Iterator[Row]:
    for path in files.get(what, ()):
        yield from csv_rows(path, dirty)
    for path in files.get(f"{what}_dat", ()):
        yield from split_rows(path, dirty, "::", names)
    for path in files.get(f"{what}_100k", ()):
        yield from csv_rows(path, dirty, "\t", names)


def _read(files: Files, dirty: Counter[str]) -> Iterator[Draft | DirtyError]:
    for row in _rows(files, "movies", _MOVIE, dirty):
        genres = [one for one in row["genres"].split("|") if one and one != _NO_GENRE]
        yield item(row["movieId"], text(row["title"], 1_000), categories=genres)
    for path in files.get("items_100k", ()):
        yield from _items_100k(path, dirty)
    for row in _rows(files, "ratings", _RATING, dirty):
        yield _review(row, rating=number(row["rating"]))
    for row in _rows(files, "tags", _TAG, dirty):
        yield _review(row, text=text(row["tag"]))


def _items_100k(path: Path, dirty: Counter[str]) -> Iterator[Draft]:
    for row in split_rows(path, dirty, "|", _ITEM_100K):
        genres = [name for name in _GENRES_100K[1:] if row[name] == "1"]
        yield item(row["movieId"], text(row["title"], 1_000), categories=genres)


def _review(row: Row, **said: object) -> Draft | DirtyError:
    try:
        ts = time_ms(row["timestamp"], "s")
    except DirtyError as exc:
        return exc
    value = {"user_id": row["userId"], "item_id": row["movieId"], **said}
    return Draft(Topic.REVIEWS, value, ts)


MOVIELENS = Kind(
    "movielens",
    "ratings.csv, movies.csv, tags.csv; ratings.dat, movies.dat, tags.dat; u.data, u.item",
    {
        "ratings": _named(_RATING),
        "tags": _named(_TAG),
        "movies": _named(_MOVIE),
        "ratings_dat": _four_numbers("::"),
        "tags_dat": _tags_10m,
        "movies_dat": _movies_dat,
        "ratings_100k": _four_numbers("\t"),
        "items_100k": _item_100k,
    },
    frozenset({"ratings", "ratings_dat", "ratings_100k"}),
    _read,
)
