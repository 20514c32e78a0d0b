"""A support desk, test then learn: each question is answered by what was learned before it, then
its right template is chosen. Beside what one would write instead, on the same vectors.

    python -m bench.uses.support FILES... [--text COLUMN] [--template COLUMN] [--answer COLUMN]
        [--questions 10000] [--hidden 5] [--target 0.95] [--seed 7]

FILES: CSV of questions and the template of each. Their order is drawn by the seed. --answer: the
column of the template's own words; without it a template is known by its name. --hidden: so many
templates are unknown: their questions begin at half of the stream, and nobody chooses for them
until their group is offered; then the template is put, with the examples that the offer shows, and
chosen from there on. A peer hears of it at the same question. Prints a table, then one JSON object
as the last line.

Peers: the nearest of all known questions; 5 nearest; logistic regression on the vectors, an example
at a time (scikit-learn's SGDClassifier) and refitted every 500 questions (LogisticRegression); the
same an example at a time on hashed character n-grams, which is about what fastText sees.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from bench.hardware import hardware, load
from bench.results.bench_run import BenchRun
from bench.uses.text_peers import PEERS, Peer, make_peer
from encoders import load_encoder
from encoders.folder import DEFAULT_MODEL
from learner.desk.desk import Desk, Template, Told

BINS = 15
COVERAGES = (0.5, 0.7, 0.8, 0.9)


@dataclass(frozen=True, slots=True)
class Question:
    """text, template: as in the file. vector: (D,)."""

    text: str
    template: str
    vector: NDArray[np.float32]


@dataclass(slots=True)
class Figures:
    """Of one side: for each question the rank of the right template (0 is the first), how sure the
    first one was, and the seconds that all took.
    """

    ranks: list[int] = field(default_factory=list)
    sure: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def report(self) -> dict[str, Any]:
        ranks, sure = np.array(self.ranks), np.array(self.sure)
        last = slice(len(ranks) // 2, None)
        right, told = ranks[last] == 0, sure[last]
        surest = np.argsort(-told, kind="stable")
        return {
            "accuracy_1": round(float((ranks == 0).mean()), 4),
            "accuracy_3": round(float((ranks < 3).mean()), 4),
            "mrr": round(float((1.0 / (1.0 + ranks)).mean()), 4),
            "accuracy_1_second_half": round(float(right.mean()), 4),
            "ece_second_half": round(calibration_error(told, right), 4),
            "accuracy_at_coverage": {
                str(share): round(float(right[surest[: max(1, int(share * len(right)))]].mean()), 4)
                for share in COVERAGES
            },
            "ms": round(1e3 * self.seconds / max(1, len(ranks)), 2),
        }


def calibration_error(told: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Expected calibration error over bins of equal width."""
    bins = np.minimum((told * BINS).astype(int), BINS - 1)
    there = [bins == one for one in range(BINS) if (bins == one).any()]
    return float(sum(abs(told[one].mean() - right[one].mean()) * one.mean() for one in there))


def read_questions(files: Sequence[Path], text: str, template: str) -> list[tuple[str, str]]:
    found = []
    for path in files:
        with path.open(encoding="utf-8", newline="") as file:
            found += [(row[text], row[template]) for row in csv.DictReader(file)]
    return found


def answers_of(files: Sequence[Path], template: str, answer: str | None) -> dict[str, str]:
    if answer is None:
        return {}
    with files[0].open(encoding="utf-8", newline="") as file:
        return {row[template]: row[answer] for row in csv.DictReader(file)}


class DeskSide:
    """Upwell's desk under the bench: what it told of each question, offers, and templates that are
    put once they were asked for.
    """

    def __init__(self, desk: Desk, templates: Sequence[Template], own: NDArray[np.float32]) -> None:
        self.desk = desk
        self.templates = {one.template_id: one for one in templates}
        self.own = dict(zip(self.templates, own, strict=True))
        self.offers: list[dict[str, Any]] = []
        self.alone: list[bool] = []

    def put(self, template_id: str) -> None:
        none = np.zeros((0, len(self.own[template_id])), np.float32)
        self.desk.put(self.templates[template_id], self.own[template_id], none)

    def ask(self, number: int, question: Question) -> Told:
        told = self.desk.ask(str(number), question.text, "somebody", question.vector)
        if told.answers:
            self.alone.append(told.matches[0].template_id == question.template)
        return told


def rank_in(told: Sequence[str], right: str, known: int) -> int:
    """Of a side that tells a few: the mean of the ranks that are left, where it is not among."""
    return told.index(right) if right in told else (len(told) + known - 1) // 2


def run(
    questions: Sequence[Question], side: DeskSide, hidden: set[str], peers: dict[str, Peer]
) -> dict[str, Any]:
    """Every question through every side."""
    figures = {name: Figures() for name in ("upwell", *peers)}
    seen: dict[str, int] = {}
    open_groups: dict[str, int] = {}
    for number, one in enumerate(questions):
        seen[one.template] = seen.get(one.template, 0) + 1
        unknown = one.template in hidden
        for name, peer in peers.items():
            if unknown:
                continue
            began = time.perf_counter()
            told, sure = peer.ask(one.text, one.vector)
            peer.learn(one.text, one.vector, one.template)
            figures[name].seconds += time.perf_counter() - began
            figures[name].ranks.append(rank_in(told, one.template, len(side.templates)))
            figures[name].sure.append(sure)
        began = time.perf_counter()
        answer = side.ask(number, one)
        if not unknown:
            side.desk.choose(str(number), one.template)
            figures["upwell"].seconds += time.perf_counter() - began
            ids = [match.template_id for match in answer.matches]
            figures["upwell"].ranks.append(rank_in(ids, one.template, len(side.templates)))
            figures["upwell"].sure.append(answer.matches[0].confidence)
        if answer.offer is not None:
            group = next(g for g in side.desk.groups.groups if g.number == answer.offer.group)
            kinds = [questions[int(member.question_id)].template for member in group.members]
            most = max(sorted(set(kinds)), key=kinds.count)
            side.offers.append(
                {
                    "at": number,
                    "name": answer.offer.name,
                    "size": answer.offer.size,
                    "template": most,
                    "hidden": most in hidden or most in open_groups,
                    "purity": round(kinds.count(most) / len(kinds), 3),
                    "seen": seen[most],
                }
            )
            if most in hidden:
                hidden.discard(most)
                open_groups[most] = seen[most]
                side.put(most)
    return {
        "sides": {name: one.report() for name, one in figures.items()},
        "alone": round(len(side.alone) / len(questions), 4),
        "alone_right": round(float(np.mean(side.alone)), 4) if side.alone else None,
        "found_after": open_groups,
        "never_found": {one: seen.get(one, 0) for one in sorted(hidden)},
        "false_offers": sum(not one["hidden"] for one in side.offers),
        "offers": side.offers,
    }


def show(result: dict[str, Any]) -> None:
    head = ("", "first is right", "among 3", "MRR", "second half", "ECE", "at 80 %", "ms")
    table = Table(*head, title=f"{result['questions']:,} questions, {result['hardware']}")
    for name, one in result["sides"].items():
        table.add_row(
            name,
            *(f"{one[key]:.4f}" for key in ("accuracy_1", "accuracy_3", "mrr")),
            f"{one['accuracy_1_second_half']:.4f}",
            f"{one['ece_second_half']:.4f}",
            f"{one['accuracy_at_coverage']['0.8']:.4f}",
            f"{one['ms']:.2f}",
        )
    console = Console(width=100)
    console.print(table)
    console.print(
        f"answered alone: {result['alone']:.3f} of all, {result['alone_right']} of these right "
        f"(asked for: {result['target']}); new kinds found after so many of their questions: "
        f"{result['found_after']}, not found: {result['never_found']}, false offers: "
        f"{result['false_offers']}"
    )


def encoded(texts: Sequence[str]) -> NDArray[np.float32]:
    with closing(load_encoder(DEFAULT_MODEL)) as encoder:
        return np.concatenate(
            [encoder.encode(texts[at : at + 64]) for at in range(0, len(texts), 64)]
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--text", default="text")
    parser.add_argument("--template", default="category")
    parser.add_argument("--answer")
    parser.add_argument("--questions", type=int, default=10_000)
    parser.add_argument("--hidden", type=int, default=0)
    parser.add_argument("--target", type=float, default=0.95)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    tracked, before = BenchRun(__file__, given, given.files[0]), load()
    rows = read_questions(given.files, given.text, given.template)
    answers = answers_of(given.files, given.template, given.answer)
    random = np.random.default_rng(given.seed)
    names = sorted({template for _, template in rows})
    hidden = set(random.choice(names, given.hidden, replace=False).tolist())
    order = random.permutation(len(rows))[: given.questions]
    kept = [
        rows[row]
        for place, row in enumerate(order)
        if 2 * place >= len(order) or rows[row][1] not in hidden
    ]
    templates = [Template(name, name.replace("_", " "), answers.get(name, "")) for name in names]
    own = encoded([f"{one.title} {one.text}".strip() for one in templates])
    vectors = encoded([text for text, _ in kept])
    questions = [
        Question(text, template, vector)
        for (text, template), vector in zip(kept, vectors, strict=True)
    ]
    side = DeskSide(Desk(own.shape[1], given.target), templates, own)
    for name in names:
        if name not in hidden:
            side.put(name)
    peers = {name: make_peer(name) for name in PEERS}
    result = {
        "questions": len(questions),
        "templates": len(names),
        "hidden": sorted(hidden),
        "target": given.target,
        "hardware": hardware(),
        "load_before": before,
        **run(questions, side, set(hidden), peers),
    }
    show(result)
    tracked.tell(result)


if __name__ == "__main__":
    main()
