"""The bench of the watch, on made-up posts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bench.uses.opinion import read_posts, sign_f1, told_moods
from bench.uses.opinion_peers import clusterings
from bench.uses.opinion_streams import Stream, agreement, alarms, found, surged, topics_of
from tests.learner.watch.posting import drawn, vector


def stream(count: int = 1_400, kinds: int = 8) -> Stream:
    topics = drawn(5, count, kinds)
    texts = [f"about{chr(97 + topic)} {_word(at)}" for at, topic in enumerate(topics)]
    vectors = np.stack([vector(topic, at) for at, topic in enumerate(topics)])
    return Stream(texts, [f"kind{topic}" for topic in topics], vectors, 1_000)


def _word(number: int) -> str:
    return "".join(chr(97 + int(one)) for one in str(number))


def test_a_surge_is_put_in_and_found() -> None:
    made = stream()
    order, begins = surged(made, "kind3", 0.0, 0.5, 600, 7)
    assert len(set(order)) == len(order)
    assert begins == 600
    assert all(made.kinds[one] != "kind3" for one in order[:begins])
    assert 0.3 < np.mean([made.kinds[one] == "kind3" for one in order[begins : begins + 100]]) < 0.7
    told = found(made, "kind3", 0.0, 0.5, 600, 7)
    assert told["posts"] is not None
    assert 10 < told["posts"] < 200
    assert told["of_kind"] <= told["posts"]
    assert told["false"] == 0


def test_nothing_is_told_of_any_order() -> None:
    told = alarms(stream(), 1.0, 2, 7)
    assert told == {"asked": 1.0, "days": 2.8, "seen": 0, "a_day": 0.0}


def test_topics_are_the_kinds() -> None:
    made = stream()
    order = np.arange(len(made.texts))
    told = topics_of(made, order)
    assert told["topics"] == 8
    assert told["nmi"] > 0.95
    peers = clusterings(made.vectors, made.kinds, slow=False)
    assert peers["MiniBatchKMeans"]["topics"] == 8


def test_agreement_is_of_the_second_half() -> None:
    told = agreement(["a", "a", "b", "b", "a", "a"], [1, 2, 3, 5, 6, 6])
    assert (told["topics"], told["nmi"], told["in_one"]) == (2, 1.0, 1.0)


def test_moods_are_told_apart_from_what_is_not_told() -> None:
    report = told_moods([None, 0.5, -0.5, 0.5], [0.5, 0.5, -0.5, 0.5])
    assert report["r2"] == pytest.approx(1.0 - 0.25 / 0.75, abs=1e-4)
    assert report["mae"] == 0.125
    assert report["r2_second_half"] == 1.0
    assert sign_f1(np.array([1.0, 1.0, -1.0]), np.array([1.0, -1.0, -1.0])) == pytest.approx(2 / 3)


def test_both_kinds_of_files_are_read(tmp_path: Path) -> None:
    one, other = tmp_path / "a.json", tmp_path / "b.json"
    one.write_text(json.dumps([{"title": "up", "sentiment": 0.3}]))
    about = [{"sentiment_score": "0.2"}, {"sentiment_score": "0.4"}]
    other.write_text(json.dumps({"7": {"sentence": "down", "info": about}}))
    assert read_posts(one) == [("up", 0.3)]
    [(text, sentiment)] = read_posts(other)
    assert (text, round(sentiment, 6)) == ("down", 0.3)
