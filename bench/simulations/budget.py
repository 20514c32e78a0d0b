"""What a budget of privacy costs: `python -m bench.simulations.budget LOG [--ratings N] [--epsilon
ε …]`.

The learner without a budget, then one under each, over the first ratings of a log, each target
tested before it is learned, the first tenth not counted; δ is one in the number of users of the
whole log; its other settings are those of the surroundings (`UPWELL_PRIVATE_EVENTS` and the like).
Texts are hashed and the fused model is off, so that a run takes minutes: figures are for
beside each other. No lists are made but those of the tests.
"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.hardware import hardware, load
from bench.prequential import Log, load_log
from bench.results.bench_run import BenchRun
from encoders.hashing import HashingEncoder
from learner.private.build import new_learner
from learner.training.learner import Learner
from stream.replay.inline import InlineEngine
from upwell.settings import load_settings
from upwell.values import CatalogueItem, Example

__all__ = ["examples_of", "tested"]

STEP = 256
KEY = b"the key of the bench, seed "


def examples_of(log: Log) -> tuple[list[Example], list[CatalogueItem]]:
    """What the engine hands to its learner, with all targets tested, and the announced items."""
    settings = load_settings(os.environ, None)
    learner = replace(settings.learner, fused=False, test_sample=1.0)
    stream = replace(settings.stream, list_k=1)
    engine = InlineEngine(replace(settings, learner=learner, stream=stream), HashingEncoder(64))
    found: list[Example] = []
    engine.watch = found.extend
    engine.learner.learn = lambda examples: None  # type: ignore[method-assign]
    for _ in engine.play([*log.items, *log.events], STEP):
        pass
    items = engine.learner.ranking.catalogue.items
    return found, [one for one in items if one is not None]


def tested(learner: Learner, items: list[CatalogueItem], examples: list[Example]) -> dict[str, Any]:
    """NDCG@10 after the first tenth, and what is told of the budget."""
    learner.add_items(items)
    started, warm = time.perf_counter(), len(examples) // 10
    for part in (examples[:warm], examples[warm:]):
        learner.figures.reset()
        for start in range(0, len(part), STEP):
            learner.learn(part[start : start + STEP])
    figures = learner.figures
    return {
        "targets": figures.targets["all"],
        "ndcg10": {name: round(value, 4) for name, value in figures.ndcg10().items()},
        "hr10": round(figures.hr10()["all"], 4),
        "told": learner.told,
        "seconds": round(time.perf_counter() - started),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", type=Path)
    parser.add_argument("--ratings", type=int, default=10_000)
    parser.add_argument("--epsilon", type=float, nargs="*", default=[8.0])
    parser.add_argument("--fused", type=float, default=0.0, help="share of the squared budget")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    tracked = BenchRun(__file__, arguments, arguments.log)
    log = load_log(arguments.log, None, None)
    users = len({one.key for one in log.events})
    ratings = [one for one in log.events if b'"rating"' in one.value][: arguments.ratings]
    examples, items = examples_of(Log(log.items, ratings))
    told, key = load_settings(os.environ, None), KEY + str(arguments.seed).encode()
    settings = replace(told.learner, fused=False, seed=arguments.seed)
    result: dict[str, Any] = {"ratings": len(ratings), "users": users, "runs": {}}
    for epsilon in (None, *arguments.epsilon):
        private = replace(told.private, epsilon=epsilon, delta=1.0 / users, fused=arguments.fused)
        learner = new_learner(settings, private, len(items[0].vector), key)
        name = "without" if epsilon is None else f"epsilon {epsilon:g}"
        result["runs"][name] = tested(learner, items, examples)
        print(name, result["runs"][name], flush=True)
    tracked.tell(result | {"hardware": hardware(), "load": load()})


if __name__ == "__main__":
    main()
