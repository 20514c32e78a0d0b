"""Search on the first part of a log, then hold what was found against what holds, on the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from stream.replay.tuning.gain import Gain, gain
from stream.replay.tuning.measure import prefixes, whole_run
from stream.replay.tuning.parts import Parts
from stream.replay.tuning.space import Values, applied, space, tuned_base, values_of
from stream.replay.tuning.study import Seen, Study, Trial, open_study
from upwell.ports import Encoder
from upwell.settings import Settings

__all__ = ["Options", "Report", "tune"]


@dataclass(frozen=True, slots=True)
class Options:
    """out: where the study lies. trials: in it, those of earlier runs included."""

    out: Path
    trials: int
    seed: int


@dataclass(frozen=True, slots=True)
class Report:
    """base: what held. chosen: of those that are searched, all. on_rest: None where what held was
    best. records_per_s: before and after, on this machine.
    """

    trials: list[Trial]
    base: Values
    chosen: Trial
    on_rest: Gain | None = None
    records_per_s: tuple[float, float] | None = None

    @property
    def changed(self) -> Values:
        """What was chosen where it is not what held."""
        return {
            name: value for name, value in self.chosen.values.items() if value != self.base[name]
        }


def tune(
    settings: Settings,
    encoder: Encoder,
    parts: Parts,
    options: Options,
    seen: Seen = lambda number, values, point: None,
    ended: Callable[[Trial], None] = lambda trial: None,
) -> Report:
    """seen: is told each point of each trial; ended: each trial. Raises `SettingsError` as
    `open_study`.
    """
    base = tuned_base(settings)
    ranges = space(base.learner)
    held = values_of(base.learner, ranges)
    with open_study(options.out, ranges, held, options.seed, _depends(base, parts)) as study:
        _search(study, base, encoder, parts, options.trials, seen, ended)
        trials, chosen = study.trials(), study.best()
    if chosen.values == held:
        return Report(trials, held, chosen)
    runs = [
        whole_run(applied(base, values), encoder, parts.first, parts.rest)
        for values in (held, chosen.values)
    ]
    before, after = runs
    speeds = before.records_per_s, after.records_per_s
    return Report(trials, held, chosen, gain(before.sums, after.sums), speeds)


def _search(
    study: Study,
    base: Settings,
    encoder: Encoder,
    parts: Parts,
    trials: int,
    seen: Seen,
    ended: Callable[[Trial], None],
) -> None:
    for _ in range(len(study.trials()), trials):
        ended(study.run(lambda values: prefixes(applied(base, values), encoder, parts.first), seen))


def _depends(base: Settings, parts: Parts) -> dict[str, Any]:
    """What the figures of a study depend on, beside what is searched."""
    return {
        "log": parts.digest,
        "encoder": base.encoder.model,
        "learner": asdict(base.learner),
        "stream": asdict(base.stream),
    }
