"""`upwell doctor` and `upwell evaluate`: whether it runs here, and what another policy is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table
from rich.text import Text

from stream.ops.commands.command import (
    Json,
    console,
    faults,
    interruptible,
    print_json,
    settings,
    shown,
)
from stream.ops.commands.play import Log
from upwell.system.exit_codes import ExitCode

if TYPE_CHECKING:
    from stream.ops.doctor import Finding

__all__ = ["doctor", "evaluate"]


def doctor(
    as_json: Json = False,
    show: Annotated[
        bool, typer.Option("--settings", help="Show every setting and what is right for it.")
    ] = False,
) -> None:
    """Check Java, broker, store, model and settings, and say what to do."""
    with faults(), interruptible():
        if show:
            _show_settings(as_json)
        elif not _examined(as_json):
            raise typer.Exit(ExitCode.FAILED)


def _show_settings(as_json: bool) -> None:
    from upwell.settings.table import setting_lines, setting_values

    if as_json:
        print_json(setting_values(settings()))
    else:
        for line in setting_lines(settings()):
            typer.echo(line)


def _examined(as_json: bool) -> bool:
    """Whether all is fine."""
    from stream.ops.doctor import examine

    findings = []
    for finding in examine(settings()):
        console.print(_line(finding))
        findings.append(finding)
    if as_json:
        print_json({one.what: {"fine": one.fine, "detail": one.detail} for one in findings})
    return all(one.fine for one in findings)


def _line(finding: Finding) -> Table:
    state = Text("ok", "green") if finding.fine else Text("mend it", "red")
    line = Table.grid(padding=(0, 1))
    line.add_column(width=7)
    line.add_column(width=9)
    line.add_column(overflow="fold")
    line.add_row(state, finding.what, Text(finding.detail))
    return line


def evaluate(
    log: Log,
    policy: Annotated[
        Literal["popularity", "upwell"], typer.Option(help="Whose value is estimated.")
    ] = "upwell",
    window: Annotated[
        float, typer.Option(help="Hours after an impression in which an item can earn.", min=0.001)
    ] = 24.0,
    as_json: Json = False,
) -> None:
    """Estimate what another policy would have earned on a log's impressions, or say why that cannot
    be known.
    """
    from stream.replay.evaluate import evaluate_log
    from stream.replay.log import read_log
    from stream.replay.policies import open_policy
    from stream.replay.report import evaluation_table

    with faults(), interruptible(), open_policy(policy, settings()) as target:
        evaluation = evaluate_log(read_log(log), target, int(window * 3_600_000))
        shown(stderr=as_json).print(evaluation_table(evaluation, policy))
        if as_json:
            print_json(evaluation)
