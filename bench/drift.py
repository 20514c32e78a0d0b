"""Does it pay to react to drift? A synthetic stream whose order of popularity is turned around half
way; the learner with and without.

    python -m bench.drift [--events N] [--seeds N]

A detector of river watches the prequential NDCG@10 of batches. Reacting means: the sums of squares
of the gate's AdaGrad shrink to a share, so that its steps are as long again as early on; the counts
stay as they are. `told` reacts where the change is, without a detector: the most that a detector
could give. Prints a table, then one JSON object as the last line.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from river import drift

from bench.hardware import hardware
from bench.results.bench_run import BenchRun
from learner.testing.figures import MODEL
from learner.training.learner import Learner
from upwell.settings import LearnerSettings
from upwell.values import CatalogueItem, Example, Interaction

ITEMS, USERS, DIMENSION = 600, 300, 16
BATCH = 32
SHARE = 0.01
SKEW = 1.0
WINDOWS = ((-1_000, 0), (0, 250), (250, 500), (500, 1_000), (1_000, 2_000), (2_000, 3_000))
"""Events since the change."""
Detector = Callable[[float], bool]


def stream(events: int, seed: int) -> Iterator[Example]:
    """Users meet new items by a Zipf law over the items' order, which is turned around after half
    of the events.
    """
    rng = np.random.default_rng(seed)
    chances = 1.0 / (1.0 + np.arange(ITEMS)) ** SKEW
    order = rng.permutation(ITEMS)
    past: dict[str, list[Interaction]] = defaultdict(list)
    for offset in range(events):
        if offset == events // 2:
            order = order[::-1]
        user = f"u{rng.integers(USERS)}"
        before = past[user]
        had = {one.item_id for one in before}
        while (item := f"i{order[rng.choice(ITEMS, p=chances / chances.sum())]}") in had:
            pass
        event = Interaction(f"e{offset}", offset, item, "click", None, "events-0", offset)
        items = tuple(str(one.item_id) for one in before)
        yield Example(
            source="events-0",
            offset=offset,
            user=user,
            event=event,
            history=tuple(before[-50:]),
            intent=None,
            user_events=len(before),
            tested=True,
            had=items,
        )
        before.append(event)


def catalogue(seed: int) -> list[CatalogueItem]:
    vectors = np.random.default_rng(seed).normal(size=(ITEMS, DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return [
        CatalogueItem(
            item_id=f"i{number}", ts=0, title=f"Title {number}", vector=vector, revision="r"
        )
        for number, vector in enumerate(vectors)
    ]


def river_detector(detector: Any) -> Detector:
    """True where it sees a change."""

    def seen(value: float) -> bool:
        detector.update(value)
        return bool(detector.drift_detected)

    return seen


def react(learner: Learner) -> None:
    """The hook, as the gate would have it: AdaGrad forgets how much it has seen. Reaches into the
    learner: an experiment.
    """
    learner.parameters.gate.state.squares[:] *= SHARE


def run(
    events: int, seed: int, detector: Detector | None, told: bool
) -> tuple[NDArray[np.float64], list[int]]:
    """(batches,) NDCG@10 of each, and the events since the change at which it reacted."""
    learner = Learner(LearnerSettings(fused=False), DIMENSION, seed)
    learner.add_items(catalogue(seed))
    examples = list(stream(events, seed))
    gains, reacted = [], []
    for start in range(0, events, BATCH):
        learner.figures.reset()
        learner.learn(examples[start : start + BATCH])
        gains.append(learner.figures.ndcg10(MODEL)["all"])
        if (told and 0 <= start - events // 2 < BATCH) or (
            detector is not None and detector(gains[-1])
        ):
            react(learner)
            reacted.append(start + BATCH - events // 2)
    return np.array(gains), reacted


def detectors() -> dict[str, tuple[Callable[[], Detector] | None, bool]]:
    """By name: how one is made, and whether the run is told of the change."""
    adwin: Any = drift.ADWIN
    return {
        "no reaction": (None, False),
        "ADWIN": (lambda: river_detector(adwin()), False),
        "Page-Hinkley": (
            lambda: river_detector(
                drift.PageHinkley(min_instances=30, delta=0.005, threshold=0.5, mode="down")
            ),
            False,
        ),
        "told": (None, True),
    }


def windows(gains: NDArray[np.float64]) -> list[float]:
    """Mean NDCG@10 of each of WINDOWS."""
    since = (np.arange(len(gains)) - len(gains) // 2) * BATCH
    return [float(np.nanmean(gains[(since >= start) & (since < end)])) for start, end in WINDOWS]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=8_000)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    tracked = BenchRun(__file__, arguments)
    table = Table(
        "",
        *(f"{start:+,} to {end:+,}" for start, end in WINDOWS),
        "reactions after the change (before)",
    )
    table.title = (
        f"NDCG@10 around a reversal of popularity, mean ± standard error of {arguments.seeds} seeds"
    )
    found: dict[str, Any] = {}
    for name, (make, told) in detectors().items():
        runs = [
            run(arguments.events, seed, make() if make else None, told)
            for seed in range(arguments.seeds)
        ]
        values = np.array([windows(gains) for gains, _ in runs])
        errors = values.std(axis=0, ddof=1) / np.sqrt(len(runs))
        found[name] = {
            "ndcg10": values.mean(axis=0).tolist(),
            "errors": errors.tolist(),
            "reacted": [at for _, at in runs],
        }
        cells = [
            f"{mean:.4f} ± {error:.4f}"
            for mean, error in zip(values.mean(axis=0), errors, strict=True)
        ]
        after = "; ".join(
            ", ".join(f"+{one}" for one in at if one > 0) + f" ({sum(one <= 0 for one in at)})"
            if at
            else "none"
            for _, at in runs
        )
        table.add_row(name, *cells, after)
        print(name, found[name], flush=True)
    Console(width=190).print(table)
    tracked.tell(
        {
            "events": arguments.events,
            "seeds": arguments.seeds,
            "hardware": hardware(),
            "methods": found,
        }
    )


if __name__ == "__main__":
    main()
