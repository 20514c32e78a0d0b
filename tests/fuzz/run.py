"""The long run: python -m tests.fuzz.run [--inputs 100000] [--seed 0]. Its last line is JSON.

What makes the product raise is shrunk by hypothesis and shown.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.fuzz.inputs import logs, values
from tests.fuzz.judge import Judge

__all__ = ["fuzz"]

T = TypeVar("T")

ROUND = 5_000
LOG_SHARE = 0.2


def fuzz(judge: Judge, inputs: int, first_seed: int) -> None:
    """At least `inputs` of them, four values for each log.

    Raises what an input brings about, that input shrunk.
    """
    by_log = round(inputs * LOG_SHARE)
    _rounds(values(), lambda pair: judge.value(*pair), inputs - by_log, first_seed, judge)
    _rounds(logs(), judge.log, by_log, first_seed, judge)


def _rounds(
    strategy: st.SearchStrategy[T],
    look: Callable[[T], None],
    inputs: int,
    first_seed: int,
    judge: Judge,
) -> None:
    """hypothesis keeps what it has drawn: many short runs, each of its own seed, stay fast."""
    until = judge.counts["inputs"] + inputs
    number = first_seed
    while judge.counts["inputs"] < until:

        @seed(number)
        @settings(
            max_examples=min(ROUND, until - judge.counts["inputs"]),
            database=None,
            deadline=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )
        @given(strategy)
        def judged(drawn: T) -> None:
            look(drawn)

        judged()
        number += 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        judge = Judge(Path(folder))
        fuzz(judge, arguments.inputs, arguments.seed)
    for name, count in [*judge.counts.items(), *judge.reasons.most_common()]:
        sys.stdout.write(f"{name:<20} {count:>8,}\n")
    figures = {
        "seed": arguments.seed,
        **judge.counts,
        "reasons": dict(judge.reasons),
        "wall_s": round(time.monotonic() - started, 1),
    }
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
