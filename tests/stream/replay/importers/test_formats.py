"""Each format's own files, small and handmade, with the dirt that real ones have: the events that
come out, what is left out by its reason, and that the engine takes every line.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from stream.chain.validate import decode
from stream.replay.importers import Report, import_log
from stream.replay.log import LogRecord, read_log
from upwell.errors import LogError
from upwell.recommendations import DeadLetter

NOW = 1_800_000_000_000

ML_LATEST = {
    "movies.csv": "\ufeffmovieId,title,genres\r\n1,Toy Story (1995),Adventure|Animation\r\n"
    '2,"American President, The (1995)",(no genres listed)\r\n3,,Comedy\r\n',
    "ratings.csv": "userId,movieId,rating,timestamp\r\n7,1,4.0,964982703\r\n7,2,6.0,964982703\r\n"
    "7,2,0.5,964981247\r\n7,1\r\n7,1,4.0,964982703\r\n7,1,3,soon\r\n",
    "tags.csv": "userId,movieId,tag,timestamp\r\n"
    '8,1,"pixar, ""old""",1139045764\r\n8,1,,1139045765\r\n',
    "links.csv": "movieId,imdbId,tmdbId\r\n1,0114709,862\r\n",
}
AMAZON_2018 = {
    "reviews.json": '{"overall": 5.0, "verified": true, "reviewTime": "09 13, 2009", "reviewerID": '
    '"A1", "asin": "0306406152", "summary": "Good", "reviewText": "Fits &amp; lasts", '
    '"unixReviewTime": 1252800000}\n{"overall": 2.0, "reviewTime": "09 14, 2009", "reviewerID": '
    '"A2", "asin": "0306406152"}\nnot json\n',
    "meta.json": '{"category": ["Books", "Maths"], "description": ["Of numbers."], "title": '
    '"Numbers", "brand": "Ann", "price": "$12.99", "asin": "0306406152"}\n'
    '{"title": "", "asin": "B000000001"}\n',
}
AMAZON_2023 = {
    "Books.jsonl": '{"rating": 4.0, "title": "Nice", "text": "Read it<br />twice", "images": [], '
    '"asin": "B2", "parent_asin": "B1", "user_id": "AE", "timestamp": 1588687728923, '
    '"helpful_vote": 0, "verified_purchase": true}\n',
    "meta_Books.jsonl": '{"main_category": "Books", "title": "A Book", "average_rating": 4.0, '
    '"features": ["Bound"], "description": [], "price": null, "store": "Ann", "categories": '
    '["Books", "Novels"], "parent_asin": "B1"}\n',
}
RETAILROCKET = {
    "events.csv": "timestamp,visitorid,event,itemid,transactionid\n"
    "1433221332117,257597,view,355908,\n1433221332118,257597,transaction,355908,4000\n"
    "1433221332117,257597,addtocart,355908,\n1433221332119,257597,hover,355908,\n",
    "item_properties_part1.csv": "timestamp,itemid,property,value\n"
    "1435460400000,355908,categoryid,1338\n1435460400001,355908,790,n15360.000\n"
    "1435460400009,355908,categoryid,7\n",
    "category_tree.csv": "categoryid,parentid\n1338,9\n9,\n",
}
MIND = {
    "behaviors.tsv": "1\tU1\t11/11/2019 9:05:58 AM\tN9 N8\tN1-0 N2-1 N3-0\n"
    "2\tU2\t11/12/2019 6:11:30 PM\t\tN3-1 N1-1\n3\tU3\tyesterday\t\tN1-0\n",
    "news.tsv": 'N1\tsports\tsoccer\tA "quoted title\tAnd more\thttps://a.example/1\t[]\t[]\n'
    "N2\tnews\tworld\tAnother\t\thttps://a.example/2\t[]\t[]\n",
}
YELP = {
    "review.json": '{"review_id": "r1", "user_id": "u1", "business_id": "b1", "stars": 4.0, '
    '"useful": 0, "text": "Fine\\n\\nfood", "date": "2018-07-07 22:09:11"}\n',
    "business.json": '{"business_id": "b1", "name": "Café Zoë", "city": "Köln", "state": "NW", '
    '"stars": 3.5, "categories": "Coffee & Tea, Food"}\n',
    "tip.json": '{"user_id": "u1", "business_id": "b1", "text": "Try it", "date": '
    '"2013-12-30 02:03:04", "compliment_count": 0}\n',
}
LASTFM = {
    "userid-timestamp-artid-artname-traid-traname.tsv": "user_1\t2009-05-04T23:08:57Z\tf1b1cf71\t"
    "Deep Dish\t\tFuck Me Im Famous (Pacha Ibiza)\nuser_1\t2009-05-04T13:54:10Z\t\t"
    'Björk "Live\tx\ty\n',
}
HETREC = {
    "user_taggedartists-timestamps.dat": "userID\tartistID\ttagID\ttimestamp\n"
    "2\t52\t13\t1238536800000\n2\t52\t14\t1238536700000\n2\t53\t13\t-428720400000\n",
    "tags.dat": b"tagID\ttagValue\r\n13\tchillout\r\n14\tcaf\xe9\r\n",
    "artists.dat": "id\tname\turl\tpictureURL\n52\tMorcheeba\thttp://a.example\thttp://b.example\n",
    "user_artists.dat": "userID\tartistID\tweight\n2\t52\t11690\n2\t99\t3\n",
}
HM = {
    "transactions_train.csv": "t_dat,customer_id,article_id,price,sales_channel_id\n"
    "2018-09-20,000058a1,0663713001,0.0508,2\n2018-09-20,000058a1,0663713001,0.0508,2\n"
    "2018-09-20,00007d2d,0505221004,0.0203,2\n",
    "articles.csv": "article_id,product_code,prod_name,product_type_name,product_group_name,"
    "index_group_name,section_name,detail_desc\n0663713001,0663713,Atlanta Push Body,"
    'Underwear body,Underwear,Ladieswear,Lingerie,"Body with\nlace, black."\n',
}
ML_1M = {
    "ratings.dat": "1::1193::5::978300760\n1::661::3::978302109\n",
    "movies.dat": b"1193::One Flew Over the Cuckoo's Nest (1975)::Drama\n"
    b"661::Mis\xe9rables (1995)::Drama|Musical\n",
    "users.dat": "1::F::1::10::48067\n",
}
ML_100K = {
    "u.data": "196\t242\t3\t881250949\n186\t302\t3\t891717742\n",
    "u.item": "242|Kolya (1996)|24-Jan-1997||http://a.example|"
    + "|".join("0000010000000000000")
    + "\n",
}
RECHORUS = {
    "train.csv": "user_id\titem_id\ttime\n7\t1\t965779200\n7\t2\tsoon\n8\t2\t965779201\n",
    "dev.csv": "user_id\titem_id\ttime\tneg_items\n7\t2\t965779300\t[1]\n",
    "item_meta.csv": "item_id\ti_category\ti_price_f\tr_complement\tr_substitute\n"
    "1\t0\t2.5\t[2, 3]\t[]\n2\t\t1\t[]\t\n3\t1\t1\tnone\t[]\n",
}

DATA: dict[str, tuple[Mapping[str, Any], dict[str, int], dict[str, int]]] = {
    "movielens": (
        ML_LATEST,
        {"items": 2, "reviews": 3},
        {"repeated": 1, "wrong_number_of_fields": 1, "bad_time": 1, "items: empty title": 1,
         "reviews: out_of_range rating": 1, "reviews: missing_field rating": 1},
    ),
    "amazon2018": (
        AMAZON_2018, {"items": 1, "reviews": 2}, {"bad_json": 1, "items: empty title": 1}
    ),
    "amazon2023": (AMAZON_2023, {"items": 1, "reviews": 1}, {}),
    "retailrocket": (RETAILROCKET, {"items": 1, "clicks": 3}, {"unknown_event": 1}),
    "mind": (MIND, {"items": 2, "impressions": 2, "clicks": 3}, {"bad_time": 1}),
    "yelp": (YELP, {"items": 1, "reviews": 2}, {}),
    "lastfm": (LASTFM, {"items": 2, "clicks": 2}, {}),
    "lastfm-hetrec": (
        HETREC, {"items": 1, "reviews": 2, "clicks": 1},
        {"reviews: bad_time ts": 1, "no_time": 1, "(latin-1)": 1},
    ),
    "rechorus": (RECHORUS, {"items": 2, "clicks": 3}, {"bad_time": 1, "no_list": 1}),
    "hm": (HM, {"items": 1, "clicks": 3}, {"(repeated)": 1}),
}  # fmt: skip
OTHERS: dict[str, tuple[str, Mapping[str, Any], dict[str, int], dict[str, int]]] = {
    "ml-1m": ("movielens", ML_1M, {"items": 2, "reviews": 2}, {"(latin-1)": 1}),
    "ml-100k": ("movielens", ML_100K, {"items": 1, "reviews": 2}, {}),
}
CASES = {**{name: (name, *case) for name, case in DATA.items()}, **OTHERS}


def folder_of(files: Mapping[str, str | bytes], folder: Path, packed: bool = False) -> Path:
    for name, content in files.items():
        raw = content if isinstance(content, bytes) else content.encode()
        if packed:
            (folder / f"{name}.gz").write_bytes(gzip.compress(raw))
        else:
            (folder / name).write_bytes(raw)
    return folder


def imported(kind: str, path: Path, **others: Any) -> tuple[Report, list[dict[str, Any]]]:
    """The report and the lines of the log, after the checks that hold of each log."""
    out = io.BytesIO()
    report = import_log(kind, path, out, NOW, **others)
    log = path.parent / f"{path.name}.log.jsonl.gz"
    log.write_bytes(out.getvalue())
    records = [line for line in read_log(log) if isinstance(line, LogRecord)]
    lines = [orjson.loads(line) for line in gzip.decompress(out.getvalue()).splitlines()]
    assert len(records) == len(lines) == report.events.total()
    letters = [decode(one.topic, 0, one.line, one.value, NOW) for one in records]
    assert [one for one in letters if isinstance(one, DeadLetter)] == []
    times = [line["value"]["ts"] for line in lines]
    assert times == sorted(times)
    events = [line["value"]["event_id"] for line in lines if line["topic"] != "items"]
    assert len({*events}) == len(events)
    announced: set[str] = set()
    known = {line["value"]["item_id"] for line in lines if line["topic"] == "items"}
    for line in lines:
        value = line["value"]
        if line["topic"] == "items":
            announced.add(value["item_id"])
        used = {value.get("item_id"), *value.get("item_ids", ())} & known
        assert used <= announced
    return report, lines


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_a_format_is_known_by_its_shape_and_read(name: str, packed: bool, tmp_path: Path) -> None:
    kind, files, events, dirty = CASES[name]
    folder = tmp_path / "any name"
    folder.mkdir()
    folder_of(files, folder, packed)
    report, lines = imported("auto", folder)
    assert (report.kind, dict(report.events), dict(report.dirty)) == (kind, events, dirty)
    assert imported(kind, folder)[1] == lines


@pytest.mark.parametrize("name", DATA)
def test_another_kind_is_refused_by_name(name: str, tmp_path: Path) -> None:
    folder_of(DATA[name][0], tmp_path)
    for other in DATA.keys() - {name}:
        with pytest.raises(LogError, match=f"looks like {name}: {other} has"):
            import_log(other, tmp_path, io.BytesIO(), NOW)


def test_a_folder_of_two_kinds_and_one_of_none_are_refused(tmp_path: Path) -> None:
    folder_of({**ML_LATEST, **MIND}, tmp_path)
    with pytest.raises(LogError, match="looks like mind and movielens: name the kind"):
        import_log("auto", tmp_path, io.BytesIO(), NOW)
    assert import_log("mind", tmp_path, io.BytesIO(), NOW).events["clicks"] == 3
    other = tmp_path / "other.csv"
    other.write_text("a;b;c\n1;2;3\n")
    with pytest.raises(LogError, match=r"other.csv looks like nothing that is known .*a;b;c"):
        import_log("auto", other, io.BytesIO(), NOW)
    with pytest.raises(LogError, match="has only the movies of movielens"):
        import_log("movielens", tmp_path / "movies.csv", io.BytesIO(), NOW)
    with pytest.raises(LogError, match="there is no"):
        import_log("auto", tmp_path / "missing", io.BytesIO(), NOW)


def values(lines: list[dict[str, Any]], topic: str) -> list[dict[str, Any]]:
    return [line["value"] for line in lines if line["topic"] == topic]


def test_what_the_fields_become(tmp_path: Path) -> None:
    found: dict[str, list[dict[str, Any]]] = {}
    for name, (_, files, _, _) in CASES.items():
        folder = tmp_path / name
        folder.mkdir()
        found[name] = imported("auto", folder_of(files, folder))[1]
    [toy, _] = sorted(values(found["movielens"], "items"), key=lambda one: str(one["item_id"]))
    assert toy == {
        "item_id": "1", "ts": 964_981_247_000, "title": "Toy Story (1995)",
        "categories": ["Adventure", "Animation"],
    }  # fmt: skip
    assert [one.get("text") for one in values(found["movielens"], "reviews")][-1] == 'pixar, "old"'
    [first, second] = values(found["amazon2018"], "reviews")
    assert (first["ts"], first["text"]) == (1_252_800_000_000, "Good. Fits & lasts")
    assert second["ts"] == 1_252_886_400_000
    assert values(found["amazon2018"], "items")[0]["price"] == 12.99
    assert values(found["amazon2023"], "reviews")[0]["item_id"] == "B1"
    assert values(found["amazon2023"], "items")[0]["categories"] == ["Books", "Novels"]
    [item] = values(found["retailrocket"], "items")
    assert (item["ts"], item["categories"]) == (1_433_221_332_117, ["category 1338", "category 9"])
    assert values(found["retailrocket"], "clicks")[-1]["action"] == "purchase"
    shown = values(found["mind"], "impressions")[0]
    assert (shown["ts"], shown["item_ids"]) == (1_573_463_158_000, ["N1", "N2", "N3"])
    clicked = values(found["mind"], "clicks")[0]
    assert (clicked["item_id"], clicked["list_id"]) == ("N2", shown["list_id"])
    assert clicked["ts"] == shown["ts"] + 1
    assert values(found["yelp"], "reviews")[-1]["text"] == "Fine food"
    assert {one["item_id"] for one in values(found["lastfm"], "items")} == {
        "f1b1cf71",
        'Björk "Live',
    }
    assert values(found["lastfm-hetrec"], "clicks")[0]["ts"] == 1_238_536_700_000
    assert "café" in {one["text"] for one in values(found["lastfm-hetrec"], "reviews")}
    assert values(found["hm"], "items")[0]["text"] == "Body with lace, black."
    assert values(found["hm"], "clicks")[0]["item_id"][0] == "0"
    assert values(found["hm"], "items")[0]["group"] == "0663713"
    assert values(found["ml-1m"], "items")[1]["title"] == "Misérables (1995)"
    assert values(found["ml-100k"], "items")[0]["categories"] == ["Comedy"]
