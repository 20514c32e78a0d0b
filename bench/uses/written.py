"""The support desk under what people write, test then learn, beside what one would write instead:
slips of the keyboard, other words for the same, another language.

    python -m bench.uses.written slips FILES... [--share 0.3] [--begin 0]
    python -m bench.uses.written tags FILE
    python -m bench.uses.written languages FILES... [--nobody-chooses]
        [--questions 2000] [--target 0.95] [--seed 7] [--alone]

FILES: banking77's train.csv and test.csv; of `tags`, Bitext's. Their order is drawn by the seed.
slips: of the questions from --begin on a --share has one or two slips (bench/uses/typos.py).
languages: translated.csv beside this file, in the second half. --alone: without the peers.

Figures are of the second half of the stream, of all its questions and of those with each tag. A
peer answers alone by the desk's own rule for that (learner/desk/threshold.py) over how sure it is:
what differs is the model, and that the desk hands over what is unlike all that it knows. Prints a
table, then one JSON object as the last line.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.hardware import hardware, load
from bench.results.bench_run import BenchRun
from bench.uses.support import (
    Question,
    answers_of,
    calibration_error,
    encoded,
    rank_in,
    read_questions,
)
from bench.uses.text_peers import REFITTED, Peer, make_peer
from bench.uses.written_streams import TRANSLATED, Written, as_tagged, in_languages, with_slips
from learner.desk.desk import Desk, Template
from learner.desk.threshold import Threshold

__all__ = ["DeskPeer", "OneThreshold", "ThresholdPeer", "Told", "by_tag", "play"]


@dataclass(frozen=True, slots=True)
class Told:
    """Of one question by one side. rank: of the right template. alone: whether it went out."""

    rank: int
    sure: float
    alone: bool


class OneThreshold(Desk):
    """The desk with one threshold for every question, whatever its words: what the second is
    worth.
    """

    def _reads(self, text: str, place: int) -> bool:
        return True


class DeskPeer:
    """The desk as one of the sides."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.asked = 0
        self.offers: list[dict[str, Any]] = []

    def ask(self, question: Question) -> tuple[list[str], float, bool]:
        """The templates that it tells, best first, how sure of the first, and whether it goes out
        alone.
        """
        self.asked += 1
        told = self.desk.ask(str(self.asked), question.text, "somebody", question.vector)
        if told.offer is not None:
            self.offers.append({"at": self.asked, "name": told.offer.name})
        ids = [match.template_id for match in told.matches]
        return ids, told.matches[0].confidence, told.answers

    def learn(self, question: Question, right: bool, sure: float) -> None:
        """What was chosen for the question that was asked last."""
        self.desk.choose(str(self.asked), question.template)


class ThresholdPeer:
    """A peer that answers alone by the desk's threshold."""

    def __init__(self, peer: Peer, target: float) -> None:
        self.peer = peer
        self.threshold = Threshold(target)

    def ask(self, question: Question) -> tuple[list[str], float, bool]:
        """As `DeskPeer.ask`."""
        told, sure = self.peer.ask(question.text, question.vector)
        return told, sure, bool(told) and sure >= self.threshold.least

    def learn(self, question: Question, right: bool, sure: float) -> None:
        """As `DeskPeer.learn`."""
        self.threshold.add(sure, right)
        self.peer.learn(question.text, question.vector, question.template)


Side = DeskPeer | ThresholdPeer


def play(
    stream: Sequence[Written], questions: Sequence[Question], sides: Mapping[str, Side], known: int
) -> dict[str, list[Told]]:
    """Every question through every side. known: how many templates there are."""
    made: dict[str, list[Told]] = {name: [] for name in sides}
    for written, question in zip(stream, questions, strict=True):
        for name, side in sides.items():
            ids, sure, alone = side.ask(question)
            rank = rank_in(ids, question.template, known)
            made[name].append(Told(rank, sure, alone))
            if written.chosen:
                side.learn(question, rank == 0, sure)
    return made


def by_tag(stream: Sequence[Written], told: Sequence[Told]) -> dict[str, dict[str, Any]]:
    """Figures of the second half: of all, then of each tag."""
    half = range(len(stream) // 2, len(stream))
    tags = dict.fromkeys(tag for place in half for tag in stream[place].tags)
    made = {"all": _figures([told[place] for place in half])}
    for tag in sorted(tags):
        made[tag] = _figures([told[place] for place in half if tag in stream[place].tags])
    return made


def _figures(told: Sequence[Told]) -> dict[str, Any]:
    ranks, sure = np.array([one.rank for one in told]), np.array([one.sure for one in told])
    alone = np.array([one.alone for one in told])
    return {
        "questions": len(told),
        "accuracy_1": round(float((ranks == 0).mean()), 4),
        "accuracy_3": round(float((ranks < 3).mean()), 4),
        "mrr": round(float((1.0 / (1.0 + ranks)).mean()), 4),
        "ece": round(calibration_error(sure, ranks == 0), 4),
        "alone": round(float(alone.mean()), 4),
        "alone_right": round(float((ranks[alone] == 0).mean()), 4) if alone.any() else None,
    }


def show(result: dict[str, Any]) -> None:
    head = ("", "questions", "first is right", "among 3", "MRR", "ECE", "alone", "of these right")
    table = Table(*head, title=f"{result['what']}, second half, {result['hardware']}")
    for name, tags in result["sides"].items():
        for tag, one in tags.items():
            right = one["alone_right"]
            table.add_row(
                f"{name}: {tag}",
                str(one["questions"]),
                *(f"{one[key]:.4f}" for key in ("accuracy_1", "accuracy_3", "mrr", "ece", "alone")),
                "" if right is None else f"{right:.4f}",
            )
    Console(width=130).print(table)


def stream_of(given: argparse.Namespace) -> tuple[list[Written], dict[str, str]]:
    """The stream, and the words of each template."""
    rng = np.random.default_rng(given.seed)
    if given.what == "tags":
        stream = as_tagged(given.files[0], lambda rows: rng.permutation(rows)[: given.questions])
        return stream, answers_of(given.files, "intent", "response")
    every = read_questions(given.files, "text", "category")
    rows = [every[int(place)] for place in rng.permutation(len(every))[: given.questions]]
    answers = {template: "" for _, template in every}
    if given.what == "slips":
        return with_slips(rows, given.share, given.begin, rng), answers
    return in_languages(rows, TRANSLATED, not given.nobody_chooses, rng), answers


def sides_of(answers: Mapping[str, str], target: float, alone: bool) -> Iterator[tuple[str, Side]]:
    """Upwell with every template, and the peers."""
    names = sorted(answers)
    templates = [Template(name, name.replace("_", " "), answers[name]) for name in names]
    own = encoded([f"{one.title} {one.text}".strip() for one in templates])
    desk, one = Desk(own.shape[1], target), OneThreshold(own.shape[1], target)
    for template, vector in zip(templates, own, strict=True):
        for made in (desk, one):
            made.put(template, vector, np.zeros((0, len(vector)), np.float32))
    yield "upwell", DeskPeer(desk)
    yield "upwell, one threshold", DeskPeer(one)
    for name in () if alone else REFITTED:
        yield name, ThresholdPeer(make_peer(name), target)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("slips", "tags", "languages"))
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--share", type=float, default=0.3)
    parser.add_argument("--begin", type=float, default=0.0)
    parser.add_argument("--nobody-chooses", action="store_true")
    parser.add_argument("--questions", type=int, default=2_000)
    parser.add_argument("--target", type=float, default=0.95)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--alone", action="store_true")
    given = parser.parse_args()
    tracked, before = BenchRun(__file__, given, given.files[0]), load()
    stream, answers = stream_of(given)
    vectors = encoded([one.text for one in stream])
    questions = [
        Question(one.text, one.template, vector)
        for one, vector in zip(stream, vectors, strict=True)
    ]
    sides = dict(sides_of(answers, given.target, given.alone))
    told = play(stream, questions, sides, len(answers))
    desk = sides["upwell"]
    assert isinstance(desk, DeskPeer), "the first of the sides"
    result = {
        "what": given.what,
        "templates": len(answers),
        "target": given.target,
        "hardware": hardware(),
        "load_before": before,
        "sides": {name: by_tag(stream, some) for name, some in told.items()},
        "offers": desk.offers,
    }
    show(result)
    tracked.tell(result)


if __name__ == "__main__":
    main()
