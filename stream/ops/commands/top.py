"""`upwell top` and `upwell fairness`: how the engine is, at a glance, and who is shown."""

from __future__ import annotations

import time
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from stream.ops.commands.command import (
    Json,
    connected,
    faults,
    interruptible,
    print_json,
    shown,
    tell,
)
from upwell.events import Topic
from upwell.settings import KafkaSettings
from upwell.system.exit_codes import ExitCode

__all__ = ["fairness", "top"]


def top(
    once: Annotated[bool, typer.Option("--once", help="One look, then end.")] = False,
    every: Annotated[float, typer.Option(help="Seconds between two looks.", min=0.1)] = 1.0,
    as_json: Json = False,
) -> None:
    """Show how the engine is until Ctrl-C: events and lists a second, lag, freshness, quality, the
    guard, the model, dead letters, and each worker. Without a terminal it prints a line each time.
    """
    with faults(), interruptible():
        own, page = connected().kafka, shown(stderr=False)
        if once:
            _once(own, page, as_json)
        elif as_json or not page.is_terminal or page.is_dumb_terminal:
            _lines(own, every, as_json)
        else:
            _pages(own, every, page)


def fairness(as_json: Json = False) -> None:
    """Show who is shown: exposure of groups of items beside their shares of the catalogue and of
    the interactions, lists by users' activity, the bounds, and quality by group.
    """
    from stream.ops.top.fair import fairness_report, fairness_tables
    from stream.ops.top.look import looking

    with faults(), interruptible():
        own, page = connected().kafka, shown(stderr=False)
        with looking(own) as look:
            look.first_report()
            records = look.newest()
        if not records:
            tell(_nobody(own))
            raise typer.Exit(ExitCode.FAILED)
        report = fairness_report(records)
        if as_json:
            print_json(report)
            return
        if not report["workers"]:
            tell("no list was published since serve started")
        for table in fairness_tables(report):
            page.print(table)


def _pages(kafka: KafkaSettings, every: float, page: Console) -> NoReturn:
    """It may be started before the engine: it waits for it."""
    from stream.ops.top.look import begun, looking

    with Live(console=page, screen=True, auto_refresh=False) as live:
        while not begun(kafka):
            live.update(Text(_nobody(kafka), overflow="fold"), refresh=True)
            time.sleep(every)
        with looking(kafka) as look:
            report = look.first_report()
            while True:
                live.update(_page(report, kafka, page), refresh=True)
                time.sleep(every)
                report = look.report()


def _lines(kafka: KafkaSettings, every: float, as_json: bool) -> NoReturn:
    from stream.ops.top.look import looking

    with looking(kafka) as look:
        report = look.first_report()
        while True:
            _line(report, kafka, as_json)
            time.sleep(every)
            report = look.report()


def _once(kafka: KafkaSettings, page: Console, as_json: bool) -> None:
    from stream.ops.top.look import looking

    with looking(kafka) as look:
        report = look.first_report()
    if as_json:
        print_json(report)
    if not report["workers"]:
        tell(_nobody(kafka))
        raise typer.Exit(ExitCode.FAILED)
    if not as_json:
        page.print(_page(report, kafka, page, rows=1_000))


def _line(report: dict[str, Any], kafka: KafkaSettings, as_json: bool) -> None:
    from stream.ops.top.screen import plain_line

    if not report["workers"]:
        tell(_nobody(kafka))
    if as_json:
        print_json(report)
    elif report["workers"]:
        typer.echo(plain_line(report))


def _page(
    report: dict[str, Any], kafka: KafkaSettings, console: Console, rows: int | None = None
) -> RenderableType:
    from stream.ops.top.screen import page

    if not report["workers"]:
        return Text(_nobody(kafka), overflow="fold")
    where = f"at {kafka.address}, topics {kafka.prefix}*"
    return page(report, where, console.width, rows or console.height)


def _nobody(kafka: KafkaSettings) -> str:
    from stream.ops.top.screen import nobody

    return nobody(kafka.prefix + Topic.METRICS, kafka.address or "")
