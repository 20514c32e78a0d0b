"""`upwell encoder`: another text encoder in a running engine."""

from __future__ import annotations

import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from stream.ops.commands.command import (
    By,
    Json,
    Why,
    connected,
    faults,
    interruptible,
    print_json,
    tell,
)
from stream.ops.commands.help import add, new_app
from upwell.errors import SettingsError, UpwellError
from upwell.events import ControlKind
from upwell.system.clock import now_ms

__all__ = ["encoder_app"]

_NICE = 10
Model = Annotated[str, typer.Argument(help="Folder of the candidate, as `upwell adapt` writes it.")]


def try_candidate(
    model: Model,
    promote: Annotated[
        bool, typer.Option("--promote/--no-promote", help="Whether it comes into force if better.")
    ] = True,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on with what comes until something is proven.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Encode the catalogue with a candidate while the engine runs, and compare the two on what
    users did next. It comes into force where it is proven better.
    """
    from stream.ops.encoder.service import conclude
    from stream.ops.encoder.trial import compare, make_ready

    with faults(), interruptible():
        os.nice(_NICE)
        own = connected()
        ready = make_ready(own, model, tell)
        tell(f"{len(ready.item_ids):,} items; vectors alike: {ready.likeness:.4f}")
        found = compare(own, ready, follow, tell)
        promoted = conclude(own, ready, found, promote, now_ms())
        both = f"{found.mrr['before']:.4f} before, {found.mrr['after']:.4f} after"
        tell(f"{found.opinion}: mean reciprocal rank {both}, {found.targets:,} targets")
        if promoted:
            tell(f"{ready.encoder.model} is in force; `upwell encoder rollback` takes it back")
        if as_json:
            print_json(
                {
                    "encoder": asdict(ready.encoder),
                    "before": asdict(ready.before),
                    "items": len(ready.item_ids),
                    "likeness": ready.likeness,
                    **asdict(found),
                    "promoted": promoted,
                }
            )


def learn(
    folder: Annotated[Path, typer.Argument(help="Where the models lie, one folder each.")],
    every: Annotated[
        float | None,
        typer.Option(
            help="Hours from one round's beginning to the next; else one round.", min=0.01
        ),
    ] = None,
    method: Annotated[
        str, typer.Option(help="As of `upwell adapt`; not prefix, which makes no model.")
    ] = "lora",
    steps: Annotated[int, typer.Option(help="Of the optimizer, at most.", min=1)] = 300,
    rate: Annotated[
        float | None, typer.Option(help="The highest learning rate; else the method's.", min=1e-9)
    ] = None,
    as_json: Json = False,
) -> None:
    """Fine-tune the settings' encoder on what the topics hold while the engine runs, try the
    result, and have it in force where it is proven better.
    """
    from encoders.adapt import Options, Schedule
    from stream.ops.encoder.learning import learn_once

    with faults(), interruptible():
        os.nice(_NICE)
        options = Options(method, schedule=Schedule(steps=steps, rate=rate))
        if not options.merges:
            raise SettingsError(f"--method {method}: makes no model that could come into force")
        own, began = connected(), time.monotonic()
        while True:
            try:
                done = learn_once(own, folder, options, now_ms(), tell)
            except UpwellError as exc:
                if every is None:
                    raise
                tell(f"{exc}")
            else:
                tell("in force" if done.promoted else "what was in force stays")
                if as_json:
                    print_json(done.value())
            if every is None:
                return
            began += 3_600 * every
            time.sleep(max(0.0, began - time.monotonic()))


def promote(
    model: Model, by: By = "upwell encoder", why: Why = "not said", as_json: Json = False
) -> None:
    """Put an encoder into force, whatever a trial said; engines that run change over by
    themselves. Who asks for it, and why, stands on the audit log.
    """
    from stream.ops.encoder.service import put_into_force
    from stream.ops.encoder.trial import make_ready
    from stream.ops.on_record import asked_for

    with faults(), interruptible():
        os.nice(_NICE)
        own = connected()
        ready = make_ready(own, model, tell)
        asked_for(ControlKind.PROMOTE_ENCODER, ready.encoder.vectors, by, why)(own)
        put_into_force(own, ready, now_ms())
        _changed(ready.encoder, ready.before, as_json)


def rollback(by: By = "upwell encoder", why: Why = "not said", as_json: Json = False) -> None:
    """Put the encoder into force that was before; engines that run change over by themselves. Who
    asks for it, and why, stands on the audit log.
    """
    from stream.ops.encoder.service import roll_back
    from stream.ops.on_record import asked_for

    with faults(), interruptible():
        own = connected()

        def asked(version: str) -> None:
            asked_for(ControlKind.ROLLBACK_ENCODER, version, by, why)(own)

        _changed(*roll_back(own, now_ms(), asked), as_json)


def show(as_json: Json = False) -> None:
    """Which encoder is in force, and what was tried, promoted and rolled back."""
    from stream.ops.encoder.service import standing

    with faults(), interruptible():
        found = standing(connected())
        for one in found["said"]:
            tell(f"{one['at']} {one['word']} by {one['by']}: {one['encoder']['model']}")
        tell(f"in force: {found['in_force']['model']} ({found['in_force']['vectors']})")
        if as_json:
            print_json(found)


def _changed(now: Any, before: Any, as_json: bool) -> None:
    tell(f"{now.model} is in force in place of {before.model}")
    if as_json:
        print_json({"encoder": asdict(now), "before": asdict(before)})


encoder_app = new_app("encoder", "Another text encoder in a running engine.")
add(encoder_app, "encoder try", try_candidate)
add(encoder_app, "encoder learn", learn)
add(encoder_app, "encoder promote", promote)
add(encoder_app, "encoder rollback", rollback)
add(encoder_app, "encoder show", show)
