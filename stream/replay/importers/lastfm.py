"""Last.fm: the listening of lastfm-1k (artists, not tracks), and of hetrec2011-lastfm-2k what has a
time: a tag is a review of words; who listened to an artist most has a click when they tagged it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from stream.replay.importers.draft import Draft, Files, Head, Kind, item
from stream.replay.importers.shops import click
from stream.replay.importers.text import Row, csv_rows
from stream.replay.importers.values import DirtyError, text, time_ms
from upwell.events import Topic

__all__ = ["LASTFM", "LASTFM_HETREC"]

_PLAY = ["userid", "timestamp", "artid", "artname", "traid", "traname"]
_KNOWN_ARTISTS = 1_000_000
"""Announced artists that are remembered; one that was forgotten is announced again, which tells
nothing new.
"""


def _plays(head: Head) -> bool:
    fields = head[0].split("\t")
    if len(fields) != len(_PLAY):
        return False
    try:
        time_ms(fields[1])
    except DirtyError:
        return False
    return "T" in fields[1] and fields[1].endswith("Z")


def _header(*names: str) -> Any:
    return lambda head: head[0].split("\t") == [*names]


def _read(files: Files, dirty: Counter[str]) -> Iterator[Draft | DirtyError]:
    known: set[str] = set()
    for path in files["plays"]:
        for row in csv_rows(path, dirty, "\t", _PLAY):
            artist = row["artid"] or row["artname"][:256]
            if artist not in known:
                known = known if len(known) < _KNOWN_ARTISTS else set()
                known.add(artist)
                yield item(artist, text(row["artname"], 1_000))
            yield click(row["userid"], artist, row["timestamp"], "click")


def _hetrec(files: Files, dirty: Counter[str]) -> Iterator[Draft | DirtyError]:
    tags = {
        row["tagID"]: row["tagValue"]
        for path in files.get("tags", ())
        for row in csv_rows(path, dirty, "\t")
    }
    for path in files.get("artists", ()):
        for row in csv_rows(path, dirty, "\t"):
            yield item(row["id"], text(row["name"], 1_000))
    tagged: dict[tuple[str, str], str] = {}  # of 71,000 pairs: the data set does not grow
    for path in files["tagged"]:
        for row in csv_rows(path, dirty, "\t"):
            pair, ts = (row["userID"], row["artistID"]), row["timestamp"]
            tagged[pair] = min(tagged.get(pair, ts), ts, key=lambda one: (len(one), one))
            yield _tag(row, tags.get(row["tagID"]))
    for path in files.get("listened", ()):
        for row in csv_rows(path, dirty, "\t"):
            pair = row["userID"], row["artistID"]
            yield click(*pair, tagged.get(pair), "click")


def _tag(row: Row, tag: str | None) -> Draft | DirtyError:
    try:
        ts = time_ms(row["timestamp"], "ms")
    except DirtyError as exc:
        return exc
    value = {"user_id": row["userID"], "item_id": row["artistID"], "text": text(tag)}
    return Draft(Topic.REVIEWS, value, ts)


LASTFM = Kind(
    "lastfm",
    "userid-timestamp-artid-artname-traid-traname.tsv of lastfm-1k",
    {"plays": _plays},
    frozenset({"plays"}),
    _read,
)
LASTFM_HETREC = Kind(
    "lastfm-hetrec",
    "user_taggedartists-timestamps.dat, tags.dat, artists.dat, user_artists.dat",
    {
        "tagged": _header("userID", "artistID", "tagID", "timestamp"),
        "listened": _header("userID", "artistID", "weight"),
        "artists": _header("id", "name", "url", "pictureURL"),
        "tags": _header("tagID", "tagValue"),
    },
    frozenset({"tagged"}),
    _hetrec,
)
