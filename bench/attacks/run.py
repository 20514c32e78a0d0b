"""Attacks on the lists, and what each defence leaves of them.

    python -m bench.attacks.run LOG [--ratings 8000] [--kinds KIND …] [--shares .05 …]
    [--paces burst slow] [--defences DEFENCE …] [--seeds 7 …] [--every 2]

Attacks come, and lists are tested, in the second half of the log. Each pushes an item that stands
in lists about as often as the mean item does; its gain is its share of all places in honest users'
tested top tens, beside its share on the same log without the attack. The catalogue is of the items
that the log names. NDCG@10 is of honest users' targets.
Precision and recall are of users held for an item with an alarm at the end of the log. Prints a
table, then one JSON object.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from rich.console import Console
from rich.table import Table

from bench.attacks.engine import Folder, Outcome, caught, run
from bench.attacks.profiles import KINDS, START, Attack, World, attacked
from bench.hardware import hardware
from bench.prequential import Log, load_log
from bench.results.bench_run import BenchRun
from encoders import load_encoder
from stream.quarantine.quarantine import Quarantine
from upwell.settings import LearnerSettings, load_settings
from upwell.values import Example

__all__ = ["DEFENCES", "Bench", "named_items"]

DEFENCES: dict[str, tuple[bool, str]] = {
    "none": (False, "off"),
    "bounded": (True, "off"),
    "burst": (False, "burst"),
    "strict": (False, "strict"),
    "both": (True, "strict"),
}
"""Whether influence is bounded, and how strict the quarantine is."""
USUAL = (0.5, 2.0)
"""Of the mean item's places, between which an attacked item's are without an attack."""


def named_items(log: Log) -> Log:
    """The log with the items that its events name alone."""
    named = {orjson.loads(one.value)["item_id"] for one in log.events}
    kept = [one for one in log.items if orjson.loads(one.value)["item_id"] in named]
    return replace(log, items=kept)


@dataclass(frozen=True)
class Bench:
    """One log, folded again for each attack. every: so manyth honest target is tested."""

    log: Log
    folder: Folder
    world: World
    settings: LearnerSettings
    every: int

    def play(
        self, examples: Sequence[Example], defence: str, pushed: str = ""
    ) -> tuple[Outcome, dict[str, Any]]:
        """What lists came to, and who was held."""
        bounded, held = DEFENCES[defence]
        settings = replace(self.settings, bounded_influence=bounded)
        quarantine = None if held == "off" else Quarantine(held, 30.0, {})
        outcome = run(
            self.folder.items,
            examples,
            settings,
            int(START * len(self.log.events)),
            self.every,
            None if quarantine is None else lambda _, block: quarantine.sift(block, 1),
        )
        if quarantine is None:
            return outcome, {}
        return outcome, {**caught(quarantine, pushed, examples), **quarantine.counts}

    def usual(self, clean: Outcome, rng: np.random.Generator) -> str:
        """An item by lot of those that stand in lists about as often as the mean one."""
        mean = clean.shown.total() / len(self.folder.items)
        low, high = (bound * mean for bound in USUAL)
        some = sorted(one for one, count in clean.shown.items() if low <= count <= high)
        return some[int(rng.integers(len(some)))]


def attacks(
    kinds: Sequence[str], shares: Sequence[float], paces: Sequence[str]
) -> Iterator[Attack]:
    for kind in kinds:
        for share in shares:
            for pace in paces:
                yield Attack(kind, share, pace == "slow")


def measure(
    bench: Bench, some: Sequence[Attack], defences: Sequence[str], seed: int
) -> dict[str, Any]:
    """By defence: figures without an attack, and under each."""
    honest = list(bench.folder.examples(bench.log.events))
    clean = {name: bench.play(honest, name)[0] for name in defences}
    found: dict[str, Any] = {
        name: {"clean": outcome.ndcg10(), "attacks": {}} for name, outcome in clean.items()
    }
    print(orjson.dumps({name: one["clean"] for name, one in found.items()}).decode(), flush=True)
    for number, attack in enumerate(some):
        rng = np.random.default_rng([seed, number])
        pushed = bench.usual(next(iter(clean.values())), rng)
        events = attacked(bench.log, bench.world, attack, pushed, rng)
        examples = list(bench.folder.examples(events))
        for name in defences:
            outcome, who = bench.play(examples, name, pushed)
            usual = clean[name].exposure(pushed)
            row = {
                "usual": usual,
                "exposure": outcome.exposure(pushed),
                "gain": round(outcome.exposure(pushed) / usual, 2) if usual else None,
                **outcome.ndcg10(),
                **who,
            }
            found[name]["attacks"][attack.name] = row
            print(attack.name, name, orjson.dumps(row).decode(), flush=True)
    return found


def show(seeds: Mapping[int, Mapping[str, Any]]) -> None:
    """A row an attack, a column a defence: gains of each seed."""
    defences = list(next(iter(seeds.values())))
    table = Table("gain", *defences)
    names = list(next(iter(seeds.values()))[defences[0]]["attacks"])
    for name in names:
        table.add_row(
            name,
            *(
                ", ".join(str(one[defence]["attacks"][name]["gain"]) for one in seeds.values())
                for defence in defences
            ),
        )
    Console(width=120).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", type=Path)
    parser.add_argument("--ratings", type=int, default=8_000)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--shares", nargs="+", type=float, default=[0.005, 0.01, 0.05])
    parser.add_argument("--defences", nargs="+", choices=list(DEFENCES), default=list(DEFENCES))
    paces = ("burst", "slow")
    parser.add_argument("--paces", nargs="+", choices=paces, default=list(paces))
    parser.add_argument("--seeds", nargs="+", type=int, default=[7])
    parser.add_argument("--every", type=int, default=2)
    parser.add_argument("--fused", action="store_true", help="with the fused model")
    arguments = parser.parse_args()
    tracked = BenchRun(__file__, arguments, arguments.log)
    settings = load_settings(os.environ, None)
    log = named_items(load_log(arguments.log, None, arguments.ratings))
    folder = Folder(log, load_encoder(settings.encoder.model, device=settings.encoder.device))
    found = {}
    started = time.perf_counter()
    for seed in arguments.seeds:
        learner = replace(settings.learner, seed=seed, test_sample=1.0, fused=arguments.fused)
        bench = Bench(log, folder, World.of(log), learner, arguments.every)
        some = list(attacks(arguments.kinds, arguments.shares, arguments.paces))
        found[seed] = measure(bench, some, arguments.defences, seed)
    show(found)
    tracked.tell(
        {
            "log": str(arguments.log),
            "ratings": len(log.events),
            "users": World.of(log).users,
            "items": len(log.items),
            "seconds": round(time.perf_counter() - started),
            "hardware": hardware(),
            "seeds": {str(seed): one for seed, one in found.items()},
        }
    )


if __name__ == "__main__":
    main()
