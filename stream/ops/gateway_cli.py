"""The command that starts the gateway, where what it needs is installed."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from stream.ops.command import connected, console, faults, interruptible
from upwell.errors import SettingsError
from upwell.settings import Settings

__all__ = ["of_engine", "serve"]

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
    """Answer over HTTP, beside a running engine, until Ctrl-C: events in, lists out, health."""
    with faults(), interruptible():
        check_installed()
        own = of_engine(connected())
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
                f"the gateway listens on {address}; Ctrl-C ends it", soft_wrap=True
            ),
        )


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


def check_installed() -> None:
    """Raises `SettingsError` where the extra is missing."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise SettingsError(
            f"the gateway needs {', '.join(missing)}: pip install 'upwell[gateway]'"
        )
