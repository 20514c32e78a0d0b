"""`upwell tune`: settings that suit one's own log."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stream.ops.commands.command import (
    SETTINGS_FILE,
    Json,
    faults,
    interruptible,
    print_json,
    settings,
    shown,
    tell,
    tracked,
)
from stream.ops.commands.play import Log
from upwell.errors import SettingsError
from upwell.ports import Encoder
from upwell.settings import Settings
from upwell.system.files import write_whole

if TYPE_CHECKING:
    from stream.replay.tuning import Report
    from stream.replay.tuning.measure import Point
    from stream.replay.tuning.space import Values
    from stream.runs.run import Run

__all__ = ["tune"]


def tune(
    log: Log,
    out: Annotated[
        Path | None,
        typer.Option(help="Where the study lies, and goes on; `tune` in the data folder."),
    ] = None,
    trials: Annotated[
        int, typer.Option(help="In the study, those of earlier runs included.", min=1)
    ] = 30,
    first: Annotated[
        float, typer.Option(help="The share of the events that is searched on.", min=0.1, max=0.9)
    ] = 0.5,
    seed: Annotated[int, typer.Option(help="Of the draws.", min=0)] = 7,
    as_json: Json = False,
) -> None:
    """Search the learner's settings on the first part of a log, hold the best against what holds on
    the rest, and write them to upwell.toml if they gain there.
    """
    from stream.replay.tuning import Options, tune
    from stream.replay.tuning.parts import split_log
    from stream.replay.tuning.study import load_optuna
    from stream.replay.tuning.told import comment, report_json, report_table, trial_line

    with faults(), interruptible(), ExitStack() as stack:
        load_optuna()
        own = settings()
        _refuse_unwritable(own)
        options = Options(out or own.data / "tune", trials, seed)
        told = {**asdict(options), "first": first}
        run = stack.enter_context(tracked("tune", told, log, own))
        parts = split_log(log, first)
        encoder = stack.enter_context(_encoder(own))
        seen = stack.enter_context(closing(_Trials(run)))
        report = tune(
            own,
            encoder,
            parts,
            options,
            seen.show,
            lambda trial: tell(trial_line(trial, trials)),
        )
        shown(stderr=as_json).print(report_table(report))
        gained = report.on_rest is not None and report.on_rest.sure
        if gained:
            _write(report, comment(report, log.name, first, seed))
        found = report_json(report, str(SETTINGS_FILE) if gained else None)
        if as_json:
            print_json(found)
        run.result(found)


def _refuse_unwritable(own: Settings) -> None:
    """Hours before it would be too late. Raises `SettingsError`."""
    from stream.replay.tuning.file import with_learner
    from stream.replay.tuning.space import space, values_of

    ranges = space(own.learner)
    for one in ranges:
        if os.environ.get(one.variable):
            raise SettingsError(
                f"{one.variable} is set, and goes before what tune writes to {SETTINGS_FILE}: "
                "unset it"
            )
    with_learner(_text(), values_of(own.learner, ranges), "")


def _write(report: Report, comment: str) -> None:
    from stream.replay.tuning.file import with_learner

    text = with_learner(_text(), report.changed, comment)
    write_whole(SETTINGS_FILE, text.encode())
    tell(f"written to {SETTINGS_FILE}: workers that start here now read it")


def _text() -> str:
    return SETTINGS_FILE.read_text(encoding="utf-8") if SETTINGS_FILE.exists() else ""


@contextmanager
def _encoder(own: Settings) -> Iterator[Encoder]:
    """Of the settings, with the vectors of the catalogue that serve keeps. Raises
    `EncoderError`.
    """
    from encoders import kept_folder, load_encoder

    told = own.encoder
    with closing(
        load_encoder(
            told.model,
            device=told.device,
            engine=told.engine,
            cache_entries=told.cache_entries,
            threads=told.threads,
            vectors=kept_folder(told.vectors),
            vectors_bytes=told.vectors_mb * 1_000_000,
        )
    ) as encoder:
        yield encoder


class _Trials:
    """Each a run of its own below that of the search."""

    def __init__(self, of: Run) -> None:
        self._of = of
        self._open = ExitStack()
        self._number: int | None = None

    def show(self, number: int, values: Values, point: Point) -> None:
        """What cannot be written is said."""
        if number != self._number:
            self.close()
            self._run = self._open.enter_context(self._of.part(f"trial-{number:03}", values))
            self._number = number
        self._run.point(point.step, {"tune/ndcg10": point.ndcg10})

    def close(self) -> None:
        """That of the last trial."""
        self._open.close()
