"""A study that is killed goes on as if it had not been, and refuses what it is not of."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stream.replay.tuning.measure import Point
from stream.replay.tuning.space import SEARCHED, Values, values_of
from stream.replay.tuning.study import Seen, Study, Trial, open_study
from upwell.errors import SettingsError
from upwell.settings import LearnerSettings

RANGES = SEARCHED[:3]
BASE = values_of(LearnerSettings(), RANGES)
OF = {"log": "a"}


def measure(values: Values) -> Iterator[Point]:
    """Best where neighbours are 100, at every prefix."""
    for step in (2, 6, 10):
        yield Point(step, 1.0 / (1.0 + abs(values["neighbours"] - 100)))


def trials(folder: Path, count: int) -> list[Trial]:
    with open_study(folder, RANGES, BASE, 7, OF) as study:
        for _ in range(len(study.trials()), count):
            study.run(measure)
        return study.trials()


def test_the_first_trial_is_of_what_holds_and_the_best_is_found(tmp_path: Path) -> None:
    found = trials(tmp_path, 16)
    assert found[0].values == BASE
    assert len({tuple(one.values.values()) for one in found}) == len(found)
    assert not any(one.pruned for one in found[:5])
    assert 0 < sum(one.pruned for one in found) < 11
    with open_study(tmp_path, RANGES, BASE, 7, OF) as study:
        best = study.best()
    assert best.ndcg10 == max(one.ndcg10 for one in found if not one.pruned) > found[0].ndcg10
    assert all(
        float(f"{one.values['cold_item_weight']:.3g}") == one.values["cold_item_weight"]
        for one in found
    )


@pytest.mark.parametrize("at", [0, 6])
def test_a_study_that_was_ended_makes_the_trials_of_one_that_was_not(
    tmp_path: Path, at: int
) -> None:
    whole = trials(tmp_path / "whole", 8)

    def end(number: int, values: Values, point: Point) -> None:
        if number == at and point.step == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", end)
    assert trials(tmp_path / "cut", at) == whole[:at]
    assert trials(tmp_path / "cut", 8) == whole


def test_so_does_one_that_was_killed(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "import tests.stream.replay.tuning.test_study as own\n"
        "own.run(Path(sys.argv[1]), own.kill)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "cut"], check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(trials(tmp_path / "cut", 1)) == 1
    assert trials(tmp_path / "cut", 3) == trials(tmp_path / "whole", 3)


def kill(number: int, values: Values, point: Point) -> None:
    """Within the second trial."""
    if number == 1 and point.step == 6:
        os.kill(os.getpid(), signal.SIGKILL)


def run(folder: Path, seen: Seen) -> None:
    with open_study(folder, RANGES, BASE, 7, OF) as study:
        while True:
            study.run(measure, seen)


def test_another_seed_draws_others(tmp_path: Path) -> None:
    def drawn(seed: int) -> Values:
        with open_study(tmp_path / str(seed), RANGES, BASE, seed, OF) as study:
            study.run(measure)
            return study.run(measure).values

    assert drawn(1) != drawn(2)


def test_a_study_of_something_else_is_refused(tmp_path: Path) -> None:
    trials(tmp_path, 1)
    with pytest.raises(SettingsError, match=r"is of another log, seed: name another folder"):
        stack(tmp_path, 8, {"log": "b"})
    assert len(trials(tmp_path, 1)) == 1


def stack(folder: Path, seed: int, of: dict[str, str]) -> None:
    with open_study(folder, RANGES, BASE, seed, of):
        raise AssertionError("it opened")


def test_two_processes_do_not_tune_in_one_folder(tmp_path: Path) -> None:
    with (
        open_study(tmp_path, RANGES, BASE, 7, OF),
        pytest.raises(SettingsError, match="another process tunes"),
    ):
        stack(tmp_path, 7, OF)


def test_a_missing_package_is_named_with_what_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(SettingsError, match=r"pip install 'upwell\[tune\]'"):
        stack(tmp_path, 7, OF)


def test_a_log_without_a_target_is_zero_for_all(tmp_path: Path) -> None:
    def nothing(values: Values) -> Iterator[Point]:
        yield Point(10, float("nan"))

    with open_study(tmp_path, RANGES, BASE, 7, OF) as study:
        assert isinstance(study, Study)
        assert study.run(nothing).ndcg10 == study.run(nothing).ndcg10 == 0.0
        assert study.best().values == BASE
