"""What the guard costs the lists and what it catches, on the first events of a log, through the
learner as the learn process plays it.

    python bench/guard.py LOG [--events N | --ratings N] [--sample S] [--batch N]

Asks the serving weights, those in training and, five times on the way, spoilt ones for a list
before each target that the guard tries. Prints the rulings, NDCG@10 by fifths of the targets, what
became of the spoilt, and one JSON object as the last line. A spoilt candidate is tried against what
serves; its two scores are of `TRIAL` targets, its verdicts come with how many targets they took.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from bench.prequential import load_log
from bench.results.bench_run import BenchRun
from encoders import load_encoder
from learner.ranking.parameters import Arrays, RankingParameters, settle
from learner.release.guard import Guard, Verdict
from learner.training.learner import Learner
from learner.training.promotion import Promotion
from stream.replay.inline import InlineEngine
from upwell.settings import LearnerSettings, load_settings
from upwell.values import Example

TRIAL = 500
SPOILT = ("random gate", "shuffled targets", "random fused")


@dataclass
class Trial:
    """One set of spoilt parameters against what serves."""

    kind: str
    at: int
    parameters: RankingParameters
    guard: Guard = field(default_factory=Guard)
    verdicts: list[str] = field(default_factory=list)
    scores: list[tuple[float, float]] = field(default_factory=list)

    def try_on(self, serving: Sequence[float], spoilt: Sequence[float]) -> None:
        self.scores += zip(serving, spoilt, strict=True)
        if self.verdicts and self.verdicts[-1].startswith(("promote", "roll_back")):
            return
        self.guard = self.guard.observe(np.array(serving), np.array(spoilt))
        if self.guard.verdict is not Verdict.WAIT:
            self.verdicts.append(f"{self.guard.verdict} {self.guard.targets}")
            self.guard = self.guard.afresh()

    def report(self) -> dict[str, Any]:
        serving, spoilt = np.mean(self.scores, axis=0)
        return {
            "kind": self.kind,
            "at": self.at,
            "serving": float(serving),
            "spoilt": float(spoilt),
            "verdicts": self.verdicts,
        }


class Guarded(Learner):
    """A learner that is played as `stream.learn.loop` plays it, in batches of so many examples, and
    is measured meanwhile.
    """

    def __init__(
        self, settings: LearnerSettings, dimension: int, batch: int, examples: int
    ) -> None:
        super().__init__(settings, dimension, settings.seed)
        self.promotion = Promotion(self, Guard())
        self.rulings: Counter[str] = Counter()
        self.scores: list[tuple[float, float]] = []
        self.trials: list[Trial] = []
        self._batch = batch
        self._trials_at = [examples * part // 6 for part in range(1, 6)]
        self._spoilt = {kind: self.untrained() for kind in SPOILT}
        self._shuffled = Learner(replace(settings, fused=False), dimension, settings.seed)
        self._rng = np.random.default_rng(settings.seed)

    def add_items(self, items: Any) -> None:
        super().add_items(items)
        self._shuffled.add_items(items)

    def learn(self, examples: Sequence[Example]) -> None:
        for start in range(0, len(examples), self._batch):
            self._play(examples[start : start + self._batch])

    def _play(self, examples: Sequence[Example]) -> None:
        self._measure(examples)
        self.promotion.test(examples)
        super().learn(examples)
        events = [example.event for example in examples]
        order = self._rng.permutation(len(events))
        mixed = [
            replace(one, event=replace(one.event, item_id=events[place].item_id))
            for one, place in zip(examples, order, strict=True)
        ]
        self._shuffled.learn(mixed)
        if (ruling := self.promotion.decide()) is not None:
            self.rulings[str(ruling.verdict)] += 1
            if ruling.verdict is Verdict.ROLL_BACK:
                print(ruling)
        if self._trials_at and self.learned >= self._trials_at[0]:
            self._trials_at.pop(0)
            self.trials += [Trial(kind, self.learned, self._spoil(kind)) for kind in SPOILT]

    def _measure(self, examples: Sequence[Example]) -> None:
        tried = self.promotion.sample(examples)
        serving = self.promotion.gains(tried, self.promotion.serving).tolist()
        self.scores += zip(
            serving, self.promotion.gains(tried, self.parameters).tolist(), strict=True
        )
        for trial in self.trials[-len(SPOILT) :]:
            if len(trial.scores) < TRIAL:
                trial.try_on(serving, self.promotion.gains(tried, trial.parameters).tolist())

    def _spoil(self, kind: str) -> RankingParameters:
        whole: Arrays = self.parameters.whole()
        gate = whole["gate.weights"]
        if kind == "random gate":
            whole["gate.weights"] = self._rng.normal(scale=gate.std(), size=gate.shape)
        elif kind == "shuffled targets":
            whole["gate.weights"] = self._shuffled.parameters.gate.state.weights
        else:
            for name, array in whole.items():
                if name.startswith("fused.network") or name == "fused.identities":
                    whole[name] = (
                        max(float(array.std()), 0.1) * self._rng.normal(size=array.shape)
                    ).astype(array.dtype)
        parameters = self._spoilt[kind]
        settle(parameters.take(whole, whole=True))
        return parameters


def report(learner: Guarded) -> dict[str, Any]:
    """The run as one JSON object; fifths: (serving, in training) by time."""
    scores = np.array(learner.scores)  # (n, 2)
    gap = scores[:, 0] - scores[:, 1]
    return {
        "targets": len(scores),
        "rulings": dict(learner.rulings),
        "serving": float(scores[:, 0].mean()),
        "in_training": float(scores[:, 1].mean()),
        "gap_standard_error": float(gap.std() / np.sqrt(len(gap))),
        "fifths": [fifth.mean(axis=0).tolist() for fifth in np.array_split(scores, 5)],
        "spoilt": [trial.report() for trial in learner.trials if trial.scores],
    }


def print_report(result: dict[str, Any]) -> None:
    print(f"{result['targets']:,} targets, rulings {result['rulings']}")
    print(
        f"NDCG@10 serving {result['serving']:.4f}, in training {result['in_training']:.4f} "
        f"(± {result['gap_standard_error']:.4f})"
    )
    print(
        "by fifths:",
        ", ".join(f"{serving:.4f} / {training:.4f}" for serving, training in result["fifths"]),
    )
    for one in result["spoilt"]:
        said = ", ".join(one["verdicts"]) or "wait"
        print(
            f"{one['kind']:16s} at {one['at']:>6,}: {one['spoilt']:.4f} against "
            f"{one['serving']:.4f}: {said}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", type=Path)
    parser.add_argument("--events", type=int, help="only the first N events")
    parser.add_argument("--ratings", type=int, help="only ratings, the first N of them")
    parser.add_argument(
        "--sample", type=float, default=0.25, help="share of the targets that is tested"
    )
    parser.add_argument("--batch", type=int, default=32, help="examples a batch")
    arguments = parser.parse_args()
    tracked = BenchRun(__file__, arguments, arguments.log)
    settings = load_settings(os.environ, None)
    settings = replace(settings, learner=replace(settings.learner, test_sample=arguments.sample))
    log = load_log(arguments.log, arguments.events, arguments.ratings)
    encoder = load_encoder(settings.encoder.model, device=settings.encoder.device)
    engine = InlineEngine(settings, encoder)
    guarded = Guarded(settings.learner, encoder.dimension, arguments.batch, len(log.events))
    engine.learner = guarded
    for _ in engine.play([*log.items, *log.events]):
        pass
    result = {"log": str(arguments.log)} | report(guarded)
    print_report(result)
    tracked.tell(result)


if __name__ == "__main__":
    main()
