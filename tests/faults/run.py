"""`python -m tests.faults.run --seed 5 --kills 100 [--only NAMES]`: faults against a replay on real
Kafka, and what was lost or doubled.

Prints the table of docs/reliability.md; the last line is JSON. Ends with 1 where anything was lost
or counted twice.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from statistics import median

from infra.kafka import KafkaBroker
from tests.faults.compare import Outcome, compare
from tests.faults.engine import Engine, harness_settings
from tests.faults.named_server import NAMED_SERVER, on_named_server
from tests.faults.qdrant_double import QdrantDouble
from tests.faults.replayed import bundled_slice, undisturbed, without_offsets
from tests.faults.scenarios.surroundings import Stage, poisoned
from tests.faults.scenarios.table import Scenario, scenarios
from upwell.events import Topic
from upwell.settings import StoreSettings

__all__ = ["Row", "run_scenario"]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    recovery_s: the median from a strike to the first output after it, None where nothing stopped.
    """

    scenario: Scenario
    outcome: Outcome
    recovery_s: float | None
    seconds: float


def run_scenario(scenario: Scenario, broker: KafkaBroker, folder: Path, seed: int) -> Row:
    """Play it on topics and a data folder of its own, then compare."""
    started = time.monotonic()
    part = bundled_slice(scenario.events)
    events = poisoned(part.events) if scenario.poisoned else part.events
    with ExitStack() as stack:
        real = NAMED_SERVER if scenario.named else None
        double = stack.enter_context(QdrantDouble()) if scenario.server and not real else None
        prefix = f"{folder.name}-{uuid.uuid4().hex[:8]}."
        settings = harness_settings(broker.address, prefix, folder)
        stream = replace(settings.stream, approvals=scenario.approvals)
        settings = replace(settings, models=f"file://{folder}/models", stream=stream)
        if double is not None:
            settings = replace(
                settings, store=StoreSettings(kind="server", url=double.url, grpc_port=double.port)
            )
        if real is not None:
            settings = stack.enter_context(on_named_server(settings))
        engine = stack.enter_context(Engine(settings, scenario.serves))
        engine.feed(part.items)
        engine.settle("the catalogue")
        stage = Stage(engine, broker, part.items, events, Random(f"{seed} {scenario.name}"), double)
        recoveries = scenario.play(stage)
        engine.settle("everything to be served and learned")
        engine.stop()
        if scenario.anew:
            engine.read_anew(Topic.MODELS)
        expected = undisturbed(settings, engine.key, part.items, scenario.counted(events))
        others = scenario.anew or scenario.gaps
        outcome = compare(engine, without_offsets(expected) if others else expected)
    return Row(
        scenario, outcome, median(recoveries) if recoveries else None, time.monotonic() - started
    )


def main(arguments: list[str]) -> int:
    """The exit code: 0 where nothing was lost or doubled."""
    options = _options(arguments)
    chosen = [one for one in scenarios(options.kills) if re.search(options.only, one.name)]
    folder = Path(tempfile.mkdtemp(prefix="upwell-faults-"))
    rows: list[Row] = []
    print(f"seed {options.seed}, data and logs in {folder}")
    print(
        f"| {'fault':<52} | runs | lost | doubled | recovery, p50 |\n| {'-' * 52} | ---: | "
        "---: | ------: | ------------: |"
    )
    with KafkaBroker(folder / "kafka") as broker:
        for number, scenario in enumerate(chosen):
            row = run_scenario(scenario, broker, folder / f"fault-{number}", options.seed)
            rows.append(row)
            print(_line(row), flush=True)
            for finding in row.outcome.said[:10]:
                print(f"    {finding}")
    print(
        "largest deviation of a vector's component: "
        f"{max((row.outcome.deviation for row in rows), default=0.0):.1e}"
    )
    print(json.dumps(_report(rows)))
    bad = any(row.outcome.said for row in rows)
    if not bad:
        shutil.rmtree(folder)
    return int(bad)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.run")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument(
        "--kills", type=int, default=100, help="of serve or learn at random moments, in one run"
    )
    parser.add_argument(
        "--only", default="", help="the faults whose name this regular expression is found in"
    )
    return parser.parse_args(arguments)


def _line(row: Row) -> str:
    recovery = "–" if row.recovery_s is None else f"{row.recovery_s:.1f} s"
    return (
        f"| {row.scenario.name:<52} | {row.scenario.runs:>4} | {row.outcome.lost:>4} | "
        f"{row.outcome.doubled:>7} | {recovery:>13} |"
    )


def _report(rows: Iterable[Row]) -> dict[str, object]:
    faults = {
        row.scenario.name: {
            "runs": row.scenario.runs,
            "lost": row.outcome.lost,
            "doubled": row.outcome.doubled,
            "recovery_s_p50": None if row.recovery_s is None else round(row.recovery_s, 3),
        }
        for row in rows
    }
    return {
        "runs": sum(row.scenario.runs for row in rows),
        "kills": sum(row.scenario.kills for row in rows),
        "lost": sum(row.outcome.lost for row in rows),
        "doubled": sum(row.outcome.doubled for row in rows),
        "faults": faults,
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
