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

from stream.ops.commands.command import faults, interruptible, settings, tell
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
        asked = settings()
        gateway = replace(
            asked.gateway,
            host=asked.gateway.host if host is None else host,
            port=asked.gateway.port if port is None else port,
        )
        # no import: the gateway stands above this folder, which the import contracts hold
        run = import_module("gateway.run")
        # before an engine is started: a wrong token, host or port is one line at once
        entrance = stack.enter_context(run.entrance(gateway))
        from encoders import model_dimension

        dimension = model_dimension(asked.encoder.model)
        own = stack.enter_context(engine_of(replace(asked, gateway=gateway)))
        run.run_gateway(own, dimension, entrance, _say_address)


def _say_address(address: str) -> None:
    tell(f"the gateway listens on {address}; open it in a browser; Ctrl-C ends it")


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
    tell(f"no engine runs: starting one on {left}")
    with running_cluster(replace(own, data=left), {}, left / "logs", announced, tell) as cluster:
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
    tell(f"upwell: {why}", style="red")
    os.kill(os.getpid(), signal.SIGTERM)


def check_installed() -> None:
    """Raises `SettingsError` where the extra is missing."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise SettingsError(
            f"the gateway needs {', '.join(missing)}: pip install 'upwell[gateway]'"
        )
