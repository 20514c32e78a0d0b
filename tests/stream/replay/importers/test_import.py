"""Whatever the surroundings of the files: order, ties, encodings, quotes, sizes, a mapping's
columns; and the bundled log, written as CSV and imported again, is the same.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from encoders.hashing import HashingEncoder
from stream.replay.importers import import_log
from stream.replay.importers.values import DirtyError, time_ms
from stream.replay.inline import InlineEngine
from stream.replay.log import LogRecord, read_log
from tests.e2e.engine import MOVIELENS
from tests.stream.replay.importers.test_formats import NOW, folder_of, imported, values
from upwell.errors import LogError
from upwell.events import Topic
from upwell.settings import LearnerSettings, Settings

HEADER = "userId,movieId,rating,timestamp\n"
MAPPING = """
[[files]]
name = "orders*.csv"
topic = "clicks"
zone = "Europe/Berlin"
[files.columns]
user_id = "customer"
item_id = "sku"
ts = "at"
action = "what"
[files.values.action]
bought = "purchase"

[[files]]
name = "items.csv"
topic = "items"
list = "/"
[files.columns]
item_id = "sku"
title = "name"
categories = "groups"
price = "cost"
"""


@pytest.mark.slow
def test_the_bundled_log_comes_back_from_csv(tmp_path: Path) -> None:
    records = [line for line in read_log(MOVIELENS) if isinstance(line, LogRecord)]
    before = [(one.topic, orjson.loads(one.value)) for one in records]
    written: dict[str, list[list[Any]]] = {"movies": [], "ratings": [], "tags": []}
    for topic, value in before:
        if topic is Topic.ITEMS:
            genres = "|".join(value.get("categories", ["(no genres listed)"]))
            written["movies"].append([value["item_id"], value["title"], genres])
        else:
            name, said = (
                ("ratings", value.get("rating")) if "rating" in value else ("tags", value["text"])
            )
            written[name].append([value["user_id"], value["item_id"], said, value["ts"] // 1000])
    headers = {
        "movies": "movieId,title,genres",
        "ratings": "userId,movieId,rating,timestamp",
        "tags": "userId,movieId,tag,timestamp",
    }
    for name, rows in written.items():
        Random(7).shuffle(rows)
        with (tmp_path / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([headers[name].split(","), *rows])
    report, lines = imported("auto", tmp_path)

    def plain(topic: str, value: dict[str, Any]) -> bytes:
        kept = {name: one for name, one in value.items() if name != "event_id" and one != []}
        kept |= {"title": value["title"].strip()} if "title" in value else {}
        return topic.encode() + orjson.dumps(kept, option=orjson.OPT_SORT_KEYS)

    assert not report.dirty
    assert Counter(plain(line["topic"], line["value"]) for line in lines) == Counter(
        plain(topic, value) for topic, value in before
    )


def test_an_imported_log_runs_through_the_engine(tmp_path: Path) -> None:
    ratings = "".join(f"{n % 9},{n % 7},{1 + n % 5},{964982703 + n}\n" for n in range(200))
    movies = "movieId,title,genres\n" + "".join(f"{n},Film {n},Comedy\n" for n in range(7))
    folder_of({"ratings.csv": HEADER + ratings, "movies.csv": movies}, tmp_path)
    imported("auto", tmp_path)
    settings = Settings(learner=LearnerSettings(fused=False))
    engine = InlineEngine(settings, HashingEncoder(8))
    lists = [
        one
        for effects in engine.play(read_log(tmp_path.parent / f"{tmp_path.name}.log.jsonl.gz"))
        for one in effects.lists
    ]
    assert lists
    assert engine.counts["dead_letters"] == 0


def test_ties_tell_nothing(tmp_path: Path) -> None:
    """Not the order of the file, nor of the ids; another seed gives another order, the same the
    same.
    """
    rows = [f"{user},{item},4,964982703\n" for user in range(20) for item in range(20)]
    orders = []
    for shuffled, seed in ((rows, 0), (rows[::-1], 0), (rows, 1)):
        folder_of({"ratings.csv": HEADER + "".join(shuffled)}, tmp_path)
        found = imported("movielens", tmp_path / "ratings.csv", seed=seed)[1]
        orders.append([(one["value"]["user_id"], one["value"]["item_id"]) for one in found])
    assert orders[0] == orders[1]
    assert orders[0] != orders[2]
    assert sorted(orders[0]) == sorted(orders[2])
    items = [int(item) for _, item in orders[0]]
    up = sum(one < after for one, after in pairwise(items))
    assert 140 < up < 240  # of 399 neighbours, a fifth of a tenth of them equal


def test_csv_by_a_mapping(tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(MAPPING)
    folder = tmp_path / "data"
    folder.mkdir()
    folder_of(
        {
            "orders-1.csv": "customer;sku;at;what;note\n"
            '7;a-1;2024-07-01 12:00:00;bought;"two\nlines"\n'
            "7;a-2;1719828000000;view;\n7;a-3;1719828000;stare;\n",
            "items.csv": (
                "sku\tname\tgroups\tcost\na-1\tMilk\tfood/cold\t1.29\na-2\t \t\t\n"
            ).encode("utf-16"),
        },
        folder,
    )  # fmt: skip
    report, lines = imported("csv", folder, mapping=mapping)
    assert dict(report.dirty) == {"clicks: unknown_value action": 1, "items: empty title": 1}
    assert [one["action"] for one in values(lines, "clicks")] == ["purchase", "view"] or (
        [one["action"] for one in values(lines, "clicks")] == ["view", "purchase"]
    )
    assert {one["ts"] for one in values(lines, "clicks")} == {1_719_828_000_000}
    assert values(lines, "items")[0]["categories"] == ["food", "cold"]
    for wrong, said in (
        ('"customer"', "has no column"),
        ('"clicks"', "topic is"),
        ("user_id =", "clicks has no"),
        ("zone =", "is no setting"),
        ("orders*.csv", ""),
    ):
        mapping.write_text(MAPPING.replace(wrong, wrong[:-2] + "xx" + wrong[-2:]))
        if said:
            with pytest.raises(LogError, match=said):
                import_log("csv", folder, io.BytesIO(), NOW, mapping=mapping)
    with pytest.raises(LogError, match="csv needs --mapping"):
        import_log("csv", folder, io.BytesIO(), NOW)


@pytest.mark.parametrize(
    ("shown", "ms"),
    [
        ("1719828000", 1_719_828_000_000),
        ("1719828000.5", 1_719_828_000_500),
        ("1.719828e9", 1_719_828_000_000),
        ("1719828000000", 1_719_828_000_000),
        ("1719828000000000", 1_719_828_000_000),
        ("1719828000000000000", 1_719_828_000_000),
        ("2024-07-01T10:00:00Z", 1_719_828_000_000),
        ("2024-07-01T12:00:00+02:00", 1_719_828_000_000),
        ("2024-07-01 10:00:00.000 UTC", 1_719_828_000_000),
        ("2024-07-01", 1_719_792_000_000),
        ("20240701", 1_719_792_000_000),
        ("7/1/2024 10:00:00 AM", 1_719_828_000_000),
    ],
)
def test_times_are_read_in_their_unit(shown: str, ms: int) -> None:
    assert time_ms(shown) == ms


@pytest.mark.parametrize("shown", ["", "NaN", None, "soon", "1e99", "9" * 30, "9999-99-99"])
def test_what_is_no_time_is_dirty(shown: str | None) -> None:
    with pytest.raises(DirtyError):
        time_ms(shown)


def test_dirt_of_the_file_itself(tmp_path: Path) -> None:
    folder_of(
        {
            "ratings.csv": HEADER + '1,"2,4,964982703\n1,2,4,964982704\n' + "x" * 3_000_000 + "\n",
            "movies.csv": "movieId,title,genres\r\n" + f"{'9' * 300},Long,\r\n2,A\x00\x07B,\r\n",
        },
        tmp_path,
    )
    with pytest.raises(LogError, match="no event could be read of"):
        import_log("auto", tmp_path / "ratings.csv", io.BytesIO(), NOW)
    (tmp_path / "ratings.csv").write_text(HEADER + "1,2,4,964982703\n")
    report, lines = imported("auto", tmp_path)
    assert dict(report.dirty) == {"items: too_long item_id": 1}
    assert values(lines, "items")[0]["title"] == "A B"
    packed = tmp_path / "ratings.csv.gz"
    folder_of({"ratings.csv": HEADER + "".join(f"1,{n},4,{964982703 + n}\n" for n in range(9_999))},
              tmp_path, packed=True)  # fmt: skip
    packed.write_bytes(packed.read_bytes()[:-9_000])
    report, lines = imported("auto", packed)
    assert report.dirty["truncated_file"] == 1
    assert len(lines) > 100
