"""The search: an Optuna study that lies in a folder and goes on where it was ended.

Trials are drawn by TPE (Bergstra et al. 2011), each from a seed of its own by how many came before
it, so that a study that was killed and goes on makes the trials of one that was not. The first is
of what holds. One whose figure is below the median of the others' at the same prefix is ended early
(Golovin et al. 2017, the median rule). It knows nothing of what is measured.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stream.replay.tuning.measure import Point
from stream.replay.tuning.space import Range, Values, rounded
from upwell.errors import SettingsError
from upwell.system.lock import try_lock

if TYPE_CHECKING:
    import optuna

__all__ = ["Seen", "Study", "Trial", "load_optuna", "open_study"]

FILE = "study.db"
STARTUP_TRIALS = 5
"""That no trial is ended before."""
FIRST_STEP = 3
"""Before which no trial is ended: tenths of the events."""
Measure = Callable[[Values], Iterator[Point]]
Seen = Callable[[int, Values, Point], None]


@dataclass(frozen=True, slots=True)
class Trial:
    """number: from 0, of those that ended. ndcg10: of all of the first part, or where it was
    pruned.
    """

    number: int
    values: Values
    ndcg10: float
    pruned: bool


class Study:
    """ranges: what is searched. base: what holds. seed: of the draws."""

    def __init__(
        self, study: optuna.Study, ranges: Sequence[Range], base: Values, seed: int
    ) -> None:
        self._study = study
        self._ranges = ranges
        self._base = base
        self._seed = seed

    def trials(self) -> list[Trial]:
        """That ended, in their order."""
        return [
            Trial(number, {**one.user_attrs["values"]}, _figure(one), one.state.name == "PRUNED")
            for number, one in enumerate(self._ended())
        ]

    def best(self) -> Trial:
        """Of those that were not pruned; of equals the first."""
        return max((one for one in self.trials() if not one.pruned), key=lambda one: one.ndcg10)

    def run(self, measure: Measure, seen: Seen = lambda number, values, point: None) -> Trial:
        """One trial more. seen: is told each point of it."""
        from optuna.trial import TrialState

        number = len(self._ended())
        self._study.sampler = self._sampler(number)
        if number == 0 and not self._study.get_trials(False, (TrialState.WAITING,)):
            self._study.enqueue_trial(dict(self._base))
        trial = self._study.ask()
        values = (
            self._base if number == 0 else {one.name: _drawn(trial, one) for one in self._ranges}
        )
        trial.set_user_attr("values", dict(values))
        point, pruned = Point(0, math.nan), False
        for point in measure(values):
            seen(number, values, point)
            if not math.isnan(point.ndcg10):
                trial.report(point.ndcg10, point.step)
                pruned = trial.should_prune()
            if pruned:
                break
        if pruned:
            self._study.tell(trial, state=TrialState.PRUNED)
        else:
            self._study.tell(trial, _whole(point))
        return self.trials()[-1]

    def _sampler(self, number: int) -> optuna.samplers.BaseSampler:
        from optuna.samplers import TPESampler

        return TPESampler(seed=self._seed * 100_003 + number, n_startup_trials=STARTUP_TRIALS)

    def _ended(self) -> list[optuna.trial.FrozenTrial]:
        from optuna.trial import TrialState

        return self._study.get_trials(False, (TrialState.COMPLETE, TrialState.PRUNED))


@contextmanager
def open_study(
    folder: Path, ranges: Sequence[Range], base: Values, seed: int, of: Mapping[str, Any]
) -> Iterator[Study]:
    """The study in this folder, made where there is none; what was running when it was killed is
    run anew. of: what its figures depend on. Raises `SettingsError` where Optuna is missing,
    another process has it, or it is a study of something else.
    """
    optuna = load_optuna()
    folder.mkdir(parents=True, exist_ok=True)
    held = try_lock(folder / "lock")
    if held is None:
        raise SettingsError(f"another process tunes in {folder}: name another folder with --out")
    storage = optuna.storages.RDBStorage(f"sqlite:///{(folder / FILE).absolute()}")
    try:
        found = optuna.create_study(
            storage=storage,
            study_name="upwell",
            direction="maximize",
            load_if_exists=True,
            pruner=optuna.pruners.MedianPruner(STARTUP_TRIALS, FIRST_STEP),
        )
        _check_same(
            found, {**of, "seed": seed, "ranges": [[*_ends(one)] for one in ranges]}, folder
        )
        for one in found.get_trials(False, (optuna.trial.TrialState.RUNNING,)):
            found.tell(one.number, state=optuna.trial.TrialState.FAIL)
        yield Study(found, ranges, base, seed)
    finally:
        storage.remove_session()
        storage.engine.dispose()
        os.close(held)


def load_optuna() -> Any:
    """The package. Raises `SettingsError` where it is missing."""
    try:
        import optuna
    except ImportError as exc:
        raise SettingsError(
            f"upwell tune needs {exc.name or 'optuna'}: pip install 'upwell[tune]'"
        ) from exc
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _check_same(study: optuna.Study, of: Mapping[str, Any], folder: Path) -> None:
    wanted = json.loads(json.dumps(of))
    known = study.user_attrs.get("of")
    if known is None:
        study.set_user_attr("of", wanted)
    elif known != wanted:
        apart = sorted(name for name in {*known, *wanted} if known.get(name) != wanted.get(name))
        raise SettingsError(
            f"the study in {folder} is of another {', '.join(apart)}: name another folder with "
            "--out"
        )


def _ends(one: Range) -> tuple[str, float, float]:
    return one.name, one.low, one.high


def _drawn(trial: optuna.Trial, one: Range) -> int | float:
    if isinstance(one.low, int) and isinstance(one.high, int):
        return trial.suggest_int(one.name, one.low, one.high, log=True)
    return rounded(trial.suggest_float(one.name, one.low, one.high, log=True))


def _whole(point: Point) -> float:
    """A log without a target in it tells nothing: 0, for all alike."""
    return 0.0 if math.isnan(point.ndcg10) else point.ndcg10


def _figure(one: optuna.trial.FrozenTrial) -> float:
    if one.value is not None:
        return one.value
    return one.intermediate_values[max(one.intermediate_values)]
