"""Each figure of a card is one that a worker said or that was counted on a topic; of what nobody
said it says that it was not measured.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from learner.testing.figures import MODEL
from stream.ops.access.topics import Standing
from stream.ops.card.data import data_seen
from stream.ops.card.encoder import encoder_of, licence_of
from stream.ops.card.gather import card_of, promises
from stream.ops.card.page import NOT_MEASURED, page
from stream.ops.commands.manual import MANUAL
from tests.stream.ops.top.records import QUALITY, SHOWN, learn, serve
from upwell.events import Topic
from upwell.secret import Secret
from upwell.settings import Settings

FIGURES = {
    "targets": {"all": 120, "warm": 100},
    "running": {
        MODEL: {"ndcg10": {"all": 0.0512}, "hr10": {"all": 0.1}},
        "popularity": {"ndcg10": {"all": 0.0321}, "hr10": {"all": 0.05}},
    },
}


def standing(topic: Topic, at: int, value: bytes) -> Standing[Topic]:
    return Standing(topic, 0, at, at, None, value)


def card(records: list[dict[str, Any]], own: Settings | None = None) -> dict[str, Any]:
    clicks = [{"user_id": "ann", "item_id": "i1"}, {"user_id": "bö|b", "item_id": "i1"}, {}]
    seen = [standing(Topic.CLICKS, 5 + n, orjson.dumps(one)) for n, one in enumerate(clicks)]
    seen += [standing(Topic.QUERIES, 1, b'{"user_id": "ann"}'), standing(Topic.ITEMS, 9, b"{")]
    return card_of(
        records,
        own or Settings(),
        encoder=encoder_of("no such model", None),
        data=data_seen(seen),
        forgotten=3,
        at_ms=1_700_000_000_000,
    )


def test_the_object_is_what_the_manual_says_and_counts_what_stands_there() -> None:
    told = card([serve(1)])
    assert list(told) == list(MANUAL["card"].fields)
    assert orjson.loads(orjson.dumps(told)) == told
    clicks, whole = told["data"]["clicks"], told["data"]["all"]
    assert (clicks["records"], clicks["users"], clicks["items"]) == (3, 2, 1)
    assert (whole["records"], whole["users"], whole["oldest_ms"]) == (4, 2, 1)
    assert told["data"]["items"]["newest_ms"] == 9
    assert told["privacy"]["forgotten"] == 3


def test_what_nobody_said_was_not_measured() -> None:
    for records in ([], [serve(1)], [learn(1)]):
        told = card(records)
        assert told["figures"]["ndcg10"] is None
        text = page(told)
        lists = text.partition("ranked before it was learned")[2].partition("\n## ")[0]
        assert lists.strip() == NOT_MEASURED
        assert text.partition("## Who is shown")[2].partition("\n## ")[0].strip() == NOT_MEASURED
        assert "| licence | not stated |" in text


def test_what_workers_said_stands_in_it() -> None:
    records = [
        serve(1, fairness=SHOWN, encoder="mini@1/mean/float32", model_version="7-ab"),
        learn(1, figures=FIGURES, groups=QUALITY, model_examples=7),
    ]
    told = card(records)
    assert told["versions"]["model"] == "7-ab"
    assert told["versions"]["examples_learned"] == 7
    text = page(told)
    for figure in ("0.0512", "0.0321", "| all | 120 |", "1,234 lists", "Gini 0.75"):
        assert figure in text
    assert "\x1b" not in text


def test_segments_of_users_are_told_and_a_group_of_few_is_not_measured() -> None:
    few = {"lists": None, "divergence": None, "tail": None}
    one = SHOWN | {
        "segments": {"women": {"lists": 0.625, "divergence": 0.1875, "tail": 0.3125}, "men": few},
        "gaps": {"divergence": None, "tail": 0.0625},
    }
    quality = {"segment": {"women": {"ndcg10": 0.0412, "hr10": 0.0712}}}
    gaps = {"ndcg10": 0.0123, "hr10": None}
    records = [serve(1, fairness=one), learn(1, groups=quality, segment_gaps=gaps)]
    text = page(card(records))
    assert "| women | 0.625 | 0.1875 | 0.3125 |" in text
    assert "| men | not measured | not measured | not measured |" in text
    assert "Gap: divergence not measured, tail 0.0625." in text
    assert "| women | 0.0412 | 0.0712 |" in text
    assert "Gap: NDCG@10 0.0123, HR@10 not measured." in text
    assert "segment of users" not in page(card([serve(1, fairness=SHOWN), learn(1)]))


def test_settings_that_were_set_are_told_and_secrets_are_not() -> None:
    own = Settings()
    own = replace(
        own,
        stream=replace(own.stream, exposure="popularity:tail>=0.2"),
        kafka=replace(own.kafka, sasl_password=Secret("hunter2")),
    )
    told = card([], own)
    assert told["settings"]["UPWELL_EXPOSURE"] == "popularity:tail>=0.2"
    assert "UPWELL_KAFKA_WAIT" not in told["settings"]
    assert "hunter2" not in str(told)


def test_the_promises_are_those_of_the_page(tmp_path: Path) -> None:
    own = promises()
    assert len(own["held"]) > 5
    assert own["not_promised"]
    assert promises(tmp_path / "none.md") == {"held": [], "not_promised": []}


def test_a_licence_is_what_the_model_says_of_itself(tmp_path: Path) -> None:
    assert licence_of(tmp_path) is None
    file = tmp_path / "README.md"
    for text, licence in (
        ("---\nlanguage: en\nlicense: apache-2.0\n---\nWords\n", "apache-2.0"),
        ("# A model\nlicense: mit\n", None),
        ('---\nlicense: "cc-by-nc-4.0"\n---\n', "cc-by-nc-4.0"),
        ("", None),
    ):
        file.write_text(text)
        assert licence_of(tmp_path) == licence
