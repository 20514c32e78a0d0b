"""`upwell adapt`: the text encoder, fine-tuned on what a log taught."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stream.ops.commands.command import (
    Json,
    connected,
    faults,
    interruptible,
    print_json,
    settings,
    shown,
    tell,
    tracked,
)
from upwell.system.clock import now_ms

if TYPE_CHECKING:
    from stream.replay.adaptation.history import History
    from stream.runs.run import Run

__all__ = ["adapt"]


def adapt(
    log: Annotated[
        Path | None,
        typer.Argument(
            help="A .jsonl or .jsonl.gz file of {topic, key, value} lines; without one, what the "
            "topics hold."
        ),
    ] = None,
    *,
    out: Annotated[Path, typer.Option(help="A new folder for the model.")],
    model: Annotated[
        str | None, typer.Option(help="Name or folder of another encoder than the settings'.")
    ] = None,
    method: Annotated[
        str, typer.Option(help="lora, adalora, ia3, prefix, or top:N for the last N layers.")
    ] = "lora",
    steps: Annotated[int, typer.Option(help="Of the optimizer, at most.", min=1)] = 300,
    batch: Annotated[int, typer.Option(help="Pairs a batch.", min=2)] = 64,
    accumulate: Annotated[int, typer.Option(help="Batches a step.", min=1)] = 1,
    rate: Annotated[
        float | None, typer.Option(help="The highest learning rate; else the method's.", min=1e-9)
    ] = None,
    temperature: Annotated[float, typer.Option(help="Of InfoNCE.", min=0.001)] = 0.1,
    mlm: Annotated[
        float, typer.Option(help="Weight of masked-language modelling; 0 for none.", min=0)
    ] = 0.1,
    adversarial: Annotated[
        float,
        typer.Option(help="How far word embeddings are moved against the loss; 0 for none.", min=0),
    ] = 0.0,
    every: Annotated[
        int, typer.Option(help="Steps from one validation and checkpoint to the next.", min=1)
    ] = 50,
    patience: Annotated[
        int, typer.Option(help="Validations in a row that may bring nothing.", min=1)
    ] = 3,
    scene: Annotated[
        bool, typer.Option("--scene", help="Hold half of the categories out of training.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of all that is drawn.", min=0)] = 0,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the checkpoint in the folder.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Fine-tune the text encoder on a log, or on what the topics hold: items that one user liked
    near each other, searches and what was chosen, reviews and their items. Trained on the first
    60 % of the events, stopped by the next 20 %, tested on the last.

    The object of --json is the last line of standard output in any case.
    """
    from encoders.adapt import Objective, Options, Schedule
    from stream.replay.adaptation import adaptation_table
    from stream.replay.adaptation.run import Order, adapt_to

    with faults(), interruptible(), ExitStack() as stack:
        options = Options(
            method,
            Objective(temperature, mlm, adversarial),
            Schedule(steps, batch, accumulate, rate, every, patience),
            seed,
        )
        own = settings()
        encoder = replace(own.encoder, model=model or own.encoder.model)
        order = Order(out, options, scene, resume)
        told = {"model": encoder.model, **asdict(order)}
        run = stack.enter_context(tracked("adapt", told, log, own))
        report = adapt_to(partial(_history, log), order, encoder, tell, partial(_show, run))
        shown(stderr=as_json).print(adaptation_table(report))
        print_json(report)
        run.result(asdict(report), report.steps)


def _show(run: Run, step: int, figures: Mapping[str, float]) -> None:
    run.point(step, {f"curve/{name}": value for name, value in figures.items()})


def _history(log: Path | None) -> History:
    from stream.replay.adaptation.history import read_history
    from stream.replay.adaptation.topics import taught
    from stream.replay.log import read_log

    if log is None:
        return taught(connected().kafka, now_ms())
    return read_history(read_log(log), now_ms())
