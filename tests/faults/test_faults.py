"""A short seeded selection of `make faults`: kills at random, the exact points that a kill from
outside rarely hits, a thread that fails.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.kafka import KafkaBroker
from tests.faults.run import run_scenario
from tests.faults.scenarios.table import scenarios

SELECTION = (
    "kill -9 of serve or learn at random",
    "serve dies between store write and publish",
)
SLOW = (
    "learn dies after a delta is out",
    "serve's reader of erasures fails",
    "topics made anew while all is stopped",
    "topics made anew while all runs",
)
KILLS = 5
SEED = 11


@pytest.fixture(scope="module")
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    """Not the session's: a fault may stop it."""
    with KafkaBroker(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "name", [*SELECTION, *(pytest.param(one, marks=pytest.mark.slow) for one in SLOW)]
)
def test_nothing_is_lost_or_doubled(name: str, own_broker: KafkaBroker, tmp_path: Path) -> None:
    (scenario,) = (one for one in scenarios(KILLS) if one.name == name)
    row = run_scenario(scenario, own_broker, tmp_path / str((*SELECTION, *SLOW).index(name)), SEED)
    assert row.outcome.said == ()


def test_what_each_worker_imports_anew_is_without_a_language_model() -> None:
    """A forked worker runs the module again that was started: a start would be one of models."""
    program = "import sys, tests.faults.run; print({'transformers', 'nvflare'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
