"""The commands that run the engine: all of it, or some of its roles, supervised; one process alone.

They are thin, like all of the command line.
"""

from __future__ import annotations

import logging
from typing import Annotated

import typer

from stream.ops.commands.command import faults, interruptible, settings, tell
from stream.ops.commands.help import add, new_app
from stream.ops.supervise import ALL_ROLES, ROLES, end_with_parent
from upwell.errors import SettingsError

__all__ = ["roles_of", "run", "worker_app"]


def run(
    roles: Annotated[
        str | None,
        typer.Option(
            help="Only these, with commas: serve, learn beside an engine elsewhere (a learner "
            "waits as standby where another one learns); encode, which encodes texts for serve "
            "(UPWELL_ENCODED_BY); desk, the support desk; "
            "watch, the opinion watch. Without it: "
            "serve and learn, as the only engine that learns."
        ),
    ] = None,
) -> None:
    """Run the engine until Ctrl-C: a broker unless UPWELL_KAFKA names one, one serve and one learn
    process, started again when they fall.
    """
    from stream.ops.backup.schedule import scheduled_snapshots
    from stream.ops.cluster import running_cluster

    with faults(), interruptible():
        chosen, own = roles_of(roles), settings()
        announce = own.data / "broker.json"
        with (
            running_cluster(own, {}, None, announce, tell, chosen) as cluster,
            scheduled_snapshots(own, tell),
        ):
            tell(
                f"running {' and '.join(chosen or ROLES)}; produce events, or try `upwell replay "
                "LOG` and `upwell watch`; Ctrl-C ends it"
            )
            cluster.supervisor.watch(until=lambda: False)


def roles_of(text: str | None) -> tuple[str, ...]:
    """The roles of the option, in the order in which they are started; none where it is not given.
    Raises `SettingsError`.
    """
    if text is None:
        return ()
    asked = {one.strip() for one in text.split(",")}
    if not asked <= set(ALL_ROLES):
        raise SettingsError(f"--roles is {text!r}: must be of {', '.join(ALL_ROLES)}, with commas")
    return tuple(role for role in ALL_ROLES if role in asked)


def serve() -> None:
    """One serve worker alone, until its standard input ends; `upwell run --roles serve` starts it
    again when it falls.
    """
    from stream.serve.run import run_serve

    with faults():
        show_kafka_errors()
        end_with_parent()
        run_serve(settings())


def learn(
    alone: Annotated[
        bool, typer.Option("--alone", help="Where another one learns: end, do not wait.")
    ] = False,
) -> None:
    """One learner alone, until its standard input ends; standby where another one learns."""
    from stream.learn.run import run_learn

    with faults():
        show_kafka_errors()
        end_with_parent()
        run_learn(settings(), alone)


def encode() -> None:
    """One encode worker alone, until its standard input ends; it answers the texts that serve
    workers leave to it.
    """
    from stream.encode.run import run_encode

    with faults():
        show_kafka_errors()
        end_with_parent()
        run_encode(settings())


def desk() -> None:
    """The support desk alone, until its standard input ends."""
    _use("desk")


def opinions() -> None:
    """The opinion watch alone, until its standard input ends."""
    _use("watch")


def _use(name: str) -> None:
    from stream.uses.run import run_use

    with faults():
        show_kafka_errors()
        end_with_parent()
        run_use(settings(), name)


def show_kafka_errors() -> None:
    """In a worker, whose log is read when something went wrong: its client's tries count."""
    logging.getLogger("kafka").setLevel(logging.ERROR)


worker_app = new_app("worker", "One process of the engine alone, without a supervisor.")
add(worker_app, "worker serve", serve)
add(worker_app, "worker learn", learn)
add(worker_app, "worker encode", encode)
add(worker_app, "worker desk", desk)
add(worker_app, "worker watch", opinions)
