"""The bench of the support desk, on made-up questions."""

from __future__ import annotations

import numpy as np
import pytest

from bench.uses import text_peers
from bench.uses.support import DeskSide, Figures, Question, calibration_error, rank_in, run
from bench.uses.text_peers import PEERS, make_peer
from learner.desk.desk import Desk
from tests.learner.desk.asking import DIMENSION, template, vector


def questions(topics: list[int]) -> list[Question]:
    return [
        Question(f"word{topic} no{seed}", f"t{topic}", vector(topic, seed))
        for seed, topic in enumerate(topics)
    ]


def test_each_side_learns_and_a_hidden_kind_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_peers, "REFIT", 20)
    topics = [topic for _ in range(30) for topic in range(4)]
    topics += [topic for _ in range(12) for topic in (9, 0, 1)]
    templates = [template(topic) for topic in (0, 1, 2, 3, 9)]
    own = np.stack([vector(topic) for topic in (0, 1, 2, 3, 9)])
    side = DeskSide(Desk(DIMENSION, 0.9), templates, own)
    for topic in range(4):
        side.put(f"t{topic}")
    made = run(questions(topics), side, {"t9"}, {name: make_peer(name) for name in PEERS})
    assert made["found_after"].keys() == {"t9"}
    assert made["never_found"] == {}
    assert made["false_offers"] == 0
    for name, figures in made["sides"].items():
        assert figures["accuracy_1_second_half"] > 0.9, name
    assert made["alone_right"] >= 0.9


def test_a_rank_is_a_place_or_the_middle_of_what_is_left() -> None:
    assert rank_in(["a", "b", "c"], "b", 9) == 1
    assert rank_in(["a", "b", "c"], "z", 9) == 5
    assert rank_in([], "z", 3) == 1


def test_who_says_what_happens_is_calibrated() -> None:
    told = np.array([0.5, 0.5, 1.0, 1.0])
    assert calibration_error(told, np.array([True, False, True, True])) == 0.0
    assert calibration_error(told, np.array([True, True, True, True])) == pytest.approx(0.25)


def test_figures_are_of_ranks() -> None:
    figures = Figures([0, 1, 0, 5], [0.9, 0.4, 0.8, 0.3], 0.004)
    report = figures.report()
    assert report["accuracy_1"] == 0.5
    assert report["accuracy_3"] == 0.75
    assert report["accuracy_1_second_half"] == 0.5
    assert report["accuracy_at_coverage"]["0.5"] == 1.0
    assert report["ms"] == 1.0
