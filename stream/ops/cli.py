"""The command line.

Commands are thin: they read the settings, call a stage, print. A fault is one line and a non-zero
exit code.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.logging import RichHandler
from rich.markup import escape

from stream.ops.command import (
    Json,
    Shares,
    client,
    connected,
    console,
    faults,
    interruptible,
    print_json,
    sentences,
    settings,
)
from stream.ops.dead_letters_cli import letters_app
from stream.ops.engine_cli import add_engine_commands
from stream.ops.gateway_cli import serve
from stream.ops.import_cli import import_command

__all__ = ["main"]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Events in over Kafka, fresh lists out.",
)
app.add_typer(letters_app, name="dead-letters")
app.command("import")(import_command)
app.command()(serve)
add_engine_commands(app)

Log = Annotated[
    Path, typer.Argument(help="A .jsonl or .jsonl.gz file of {topic, key, value} lines.")
]


@app.command()
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
    as_json: Json = False,
) -> None:
    """Play a real log through a real broker, language model and learner, and report honestly."""
    from stream.ops.demo import DemoOptions, run_demo
    from stream.replay.bundled import bundled_log
    from stream.replay.report import show_report

    def show(report: dict[str, Any]) -> None:
        show_report(report, Console(stderr=as_json))
        if as_json:
            print_json(report)

    with faults(), interruptible():
        run_demo(
            settings(),
            DemoOptions(log=log or bundled_log(), events=events, steady_rate=rate, keep=keep),
            console,
            show,
        )


@app.command()
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


@app.command()
def watch(
    user: Annotated[str | None, typer.Option(help="Only this user's lists.")] = None,
    count: Annotated[int | None, typer.Option(help="End after so many.", min=1)] = None,
    shares: Shares = False,
) -> None:
    """Show lists as they are published."""
    from stream.replay.report import list_table

    with faults(), interruptible(), client() as upwell:
        why = sentences(shares)
        console.print("waiting for lists; Ctrl-C ends it")
        for number, recommendations in enumerate(upwell.lists(user), 1):
            Console().print(list_table(recommendations, why))
            if number == count:
                return


@app.command()
def recommend(
    user: Annotated[str, typer.Option(help="For whom.")],
    k: Annotated[int, typer.Option(help="How many.", min=1, max=100)] = 10,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the answer.", min=0.1)] = 10.0,
    shares: Shares = False,
    as_json: Json = False,
) -> None:
    """Ask for a user's list now, through the requests topic."""
    from stream.replay.report import list_table

    with faults(), interruptible(), client() as upwell:
        why = sentences(shares)
        answer = upwell.request_list(user, k, timeout)
        Console(stderr=as_json).print(list_table(answer, why))
        if as_json:
            print_json(answer)


@app.command()
def forget(
    user: Annotated[str, typer.Option(help="Whom, by the app's own id.")],
    why: Annotated[str, typer.Option(help="Kept with the request.")] = "the user asked for it",
    by: Annotated[str, typer.Option(help="Who asks; kept with the request.")] = "upwell forget",
    timeout: Annotated[
        float, typer.Option(help="Seconds to wait for the confirmation.", min=0.1)
    ] = 60.0,
    as_json: Json = False,
) -> None:
    """Have all that is kept of a user removed, and show what was removed and what remains."""
    from stream.replay.report import show_confirmation

    with faults(), interruptible(), client() as upwell:
        confirmed = upwell.forget(user, by, why, timeout)
        show_confirmation(confirmed, Console(stderr=as_json))
        if as_json:
            print_json(confirmed)


@app.command()
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
        Console(stderr=as_json).print(evaluation_table(evaluation, policy))
        if as_json:
            print_json(evaluation)


@app.command()
def doctor(
    as_json: Json = False,
    show: Annotated[
        bool, typer.Option("--settings", help="Show every setting and what is right for it.")
    ] = False,
) -> None:
    """Check Java, broker, store, model and settings, and say what to do."""
    from stream.ops.doctor import examine
    from upwell.settings.table import setting_lines

    with faults():
        if show:
            for line in setting_lines(settings()):
                typer.echo(line)
            return
        findings = list(examine(settings()))
        for finding in findings:
            console.print(
                f"{'[green]ok[/]     ' if finding.fine else '[red]mend it[/]'} {finding.what:<9}",
                escape(finding.detail),
            )
        if as_json:
            print_json(
                {
                    finding.what: {"fine": finding.fine, "detail": finding.detail}
                    for finding in findings
                }
            )
        if not all(finding.fine for finding in findings):
            raise typer.Exit(1)


Folder = Annotated[Path, typer.Argument(help="A folder of a snapshot.")]


@app.command()
def snapshot(folder: Folder) -> None:
    """Save model, users, items and offsets as of one point to a new folder; the engine may run."""
    from stream.ops.snapshot import snapshot as take

    with faults():
        take(settings(), folder, console.print)


@app.command()
def restore(folder: Folder) -> None:
    """Bring a snapshot into an empty data folder; the engine goes on from its offsets."""
    from stream.ops.snapshot import restore as bring_back

    with faults():
        bring_back(settings(), folder, console.print)


@app.command()
def rollback(
    version: Annotated[
        str, typer.Argument(help="A version that a checkpoint holds; a wrong one lists them.")
    ],
) -> None:
    """Make an older version of the model the newest one; the engine may run."""
    from stream.ops.snapshot import rollback as roll_back

    with faults():
        roll_back(settings(), version, console.print)


def main() -> None:
    """The entry point `upwell`."""
    logging.basicConfig(
        level=logging.INFO,
        format="%(name)s: %(message)s",
        handlers=[RichHandler(console=console, show_path=False)],
    )
    logging.getLogger("kafka").setLevel(
        logging.CRITICAL
    )  # it logs each try; what it gives up on is raised, and shown once
    for noisy in ("faust", "aiokafka", "mode", "numba", "httpx"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    app()


if __name__ == "__main__":
    main()
