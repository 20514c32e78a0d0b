"""The bench of what people write, on made-up questions."""

from __future__ import annotations

import numpy as np
import pytest

from bench.uses import text_peers
from bench.uses.support import Question
from bench.uses.text_peers import REFITTED, make_peer
from bench.uses.written import DeskPeer, OneThreshold, Side, ThresholdPeer, Told, by_tag, play
from bench.uses.written_streams import Written
from learner.desk.desk import Desk
from tests.learner.desk.asking import DIMENSION, template, vector

NONE = np.zeros((0, DIMENSION), np.float32)


def desk_of(made: Desk) -> DeskPeer:
    for topic in range(4):
        made.put(template(topic), vector(topic), NONE)
    return DeskPeer(made)


def stream_of(texts: list[tuple[int, str, bool]]) -> tuple[list[Written], list[Question]]:
    stream = [
        Written(text, f"t{topic}", ("chosen",) if chosen else ("left",), chosen)
        for topic, text, chosen in texts
    ]
    questions = [
        Question(text, f"t{topic}", vector(topic, seed))
        for seed, (topic, text, _) in enumerate(texts)
    ]
    return stream, questions


def test_each_side_learns_and_answers_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_peers, "REFIT", 20)
    texts = [(topic, f"word{topic} no{turn}", True) for turn in range(40) for topic in range(4)]
    stream, questions = stream_of(texts)
    sides: dict[str, Side] = {"upwell": desk_of(Desk(DIMENSION, 0.9))}
    sides |= {name: ThresholdPeer(make_peer(name), 0.9) for name in REFITTED}
    made = play(stream, questions, sides, 4)
    for name, told in made.items():
        figures = by_tag(stream, told)["all"]
        assert figures["questions"] == 80
        assert figures["accuracy_1"] > 0.9, name
        assert figures["alone"] > 0.5, name
        assert figures["alone_right"] >= 0.9, name


def test_what_nobody_chooses_for_is_not_learned() -> None:
    stream, questions = stream_of([(0, "word0", True), (1, "word1", False), (1, "word1", True)])
    side = desk_of(Desk(DIMENSION, 0.9))
    made = play(stream, questions, {"upwell": side}, 4)
    assert len(made["upwell"]) == 3
    assert [one.text for one in side.desk.memory.known] == ["word0", "word1"]
    assert len(side.desk.threshold.outcomes) == 2


def test_one_threshold_is_for_all_words() -> None:
    texts = [(topic, f"word{topic} no{turn}", True) for turn in range(20) for topic in range(4)]
    stream, questions = stream_of([*texts, (2, "ganz andere Worte", False)])
    sides: dict[str, Side] = {
        "two": desk_of(Desk(DIMENSION, 0.9)),
        "one": desk_of(OneThreshold(DIMENSION, 0.9)),
    }
    made = play(stream, questions, sides, 4)
    assert made["one"][-1].alone
    assert not made["two"][-1].alone


def test_figures_are_of_the_second_half_and_of_each_tag() -> None:
    stream = [Written("", "t", tags) for tags in [("a",), ("a",), ("a", "b"), ("b",)]]
    told = [Told(9, 0.1, True), Told(9, 0.1, True), Told(0, 1.0, True), Told(1, 0.5, False)]
    made = by_tag(stream, told)
    assert list(made) == ["all", "a", "b"]
    assert made["all"]["accuracy_1"] == 0.5
    assert made["all"]["mrr"] == 0.75
    assert (made["b"]["questions"], made["b"]["alone"], made["b"]["alone_right"]) == (2, 0.5, 1.0)
    assert (made["a"]["questions"], made["a"]["ece"]) == (1, 0.0)
    nobody = by_tag(stream, [Told(0, 0.5, False)] * 4)
    assert nobody["all"]["alone_right"] is None
