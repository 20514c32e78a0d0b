"""The command that starts the gateway, where what it needs is installed: beside the engine that
runs, or beside one that it starts on the data of the last one.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from stream.ops.command import console, faults, interruptible, settings
from upwell.client import find_broker
from upwell.errors import SettingsError
from upwell.settings import Settings
from upwell.system.threads import start_thread

__all__ = ["engine_of", "of_engine", "serve"]

NEEDED = ("starlette", "uvicorn", "httptools", "uvloop")


def serve(
    host: Annotated[
        str | None, typer.Option(help="Where to listen; UPWELL_GATEWAY_HOST without it.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            help="Where to listen, 0 for any port; UPWELL_GATEWAY_PORT without it.",
            min=0,
            max=65_535,
        ),
    ] = None,
) -> None:
    """Answer over HTTP and show the live page until Ctrl-C, beside the engine that runs; where none
    does, one is started on what `upwell run` or `upwell demo` has left.
    """
    with faults(), interruptible(), ExitStack() as stack:
        check_installed()
        own = stack.enter_context(engine_of(settings()))
        gateway = replace(
            own.gateway,
            host=own.gateway.host if host is None else host,
            port=own.gateway.port if port is None else port,
        )
        from encoders import model_dimension

        # no import: the gateway stands above this folder, which the import contracts hold
        import_module("gateway.run").run_gateway(
            replace(own, gateway=gateway),
            model_dimension(own.encoder.model),
            lambda address: console.print(
                f"the gateway listens on {address}; open it in a browser; Ctrl-C ends it",
                soft_wrap=True,
            ),
        )


@contextmanager
def engine_of(own: Settings) -> Iterator[Settings]:
    """The settings of the engine that runs; of one that is started for as long as this, where none
    does and there is data. Raises `BrokerError` where there is neither, and what starting raises.
    """
    left = next((one for one in (own.data, own.data / "demo") if (one / "kafka").is_dir()), None)
    announced = own.data / "broker.json"
    if own.kafka.address is not None or left is None or announced.exists():
        yield of_engine(replace(own, kafka=replace(own.kafka, address=find_broker(own))))
        return
    from stream.ops.cluster import running_cluster

    over = threading.Event()
    console.print(f"no engine runs: starting one on {left}", soft_wrap=True)
    with running_cluster(
        replace(own, data=left), {}, left / "logs", announced, console.print
    ) as cluster:
        thread = start_thread("engine", lambda: cluster.supervisor.watch(over.is_set), end_by)
        try:
            yield cluster.settings
        finally:
            over.set()
            thread.join()


def of_engine(own: Settings) -> Settings:
    """With the data folder of the engine whose broker runs here: `upwell demo` has one of its own
    below the settings', and the model's checkpoints are there.
    """
    announced = own.data / "broker.json"
    try:
        found = json.loads(announced.read_text())
        runs_here = found["address"] == own.kafka.address
        return replace(own, data=Path(found["folder"]).parent) if runs_here else own
    except (OSError, ValueError, KeyError, TypeError):  # the broker is not one that Upwell started
        return own


def end_by(why: BaseException) -> None:
    """The engine is gone: so is what stands beside it."""
    console.print(f"upwell: {why}", style="red", markup=False, highlight=False, soft_wrap=True)
    os.kill(os.getpid(), signal.SIGTERM)


def check_installed() -> None:
    """Raises `SettingsError` where the extra is missing."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise SettingsError(
            f"the gateway needs {', '.join(missing)}: pip install 'upwell[gateway]'"
        )
