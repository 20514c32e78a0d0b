"""`upwell demo` and `upwell replay`: logs through a running engine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from stream.ops.commands.command import (
    Json,
    connected,
    console,
    faults,
    interruptible,
    print_json,
    settings,
    shown,
)

__all__ = ["Log", "demo", "replay"]

Log = Annotated[
    Path, typer.Argument(help="A .jsonl or .jsonl.gz file of {topic, key, value} lines.")
]


def demo(
    events: Annotated[
        int | None, typer.Option(help="Only the first so many events.", min=100)
    ] = None,
    log: Annotated[
        Path | None, typer.Option(help="Another log than the MovieLens that comes with Upwell.")
    ] = None,
    rate: Annotated[
        float, typer.Option(help="Events a second while freshness is measured.", min=1)
    ] = 200.0,
    keep: Annotated[bool, typer.Option("--keep", help="Go on running after the report.")] = False,
    private: Annotated[
        bool, typer.Option("--private", help="Learn under a budget of privacy, epsilon 8.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Play a real log through a real broker, language model and learner, and report honestly."""
    from stream.ops.demo import DemoOptions, run_demo
    from stream.replay.bundled import bundled_log
    from stream.replay.report import show_report

    def show(report: dict[str, Any]) -> None:
        show_report(report, shown(stderr=as_json))
        if as_json:
            print_json(report)

    with faults(), interruptible():
        run_demo(
            settings(),
            DemoOptions(
                log=log or bundled_log(),
                events=events,
                steady_rate=rate,
                keep=keep,
                private=private,
            ),
            console,
            show,
        )


def replay(
    log: Log,
    speed: Annotated[
        float | None, typer.Option(help="A multiple of the log's own pace.", min=0.001)
    ] = None,
    rate: Annotated[float | None, typer.Option(help="Events a second.", min=0.001)] = None,
    max_dead_letters: Annotated[
        float, typer.Option(help="The share of no events above which it ends with 6.", min=0, max=1)
    ] = 0.5,
    as_json: Json = False,
) -> None:
    """Produce a log's records to the topics, as fast as the broker takes them unless --speed or
    --rate is given.
    """
    from stream.replay.play import check_share, play_log
    from stream.replay.player import Pace

    with faults(), interruptible():
        result = play_log(connected(), log, Pace(rate=rate, speed=speed), console)
        if as_json:
            print_json(result)
        check_share(result, max_dead_letters)
