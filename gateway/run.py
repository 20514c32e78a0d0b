"""The gateway's process: the socket, the server, the warm-up beside it, an orderly end."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import uvicorn
import uvloop
from starlette.types import ASGIApp

from gateway.app import application
from gateway.auth import Gatekeeper, check_listening
from gateway.engine import Gateway
from upwell.errors import SettingsError
from upwell.settings import GatewaySettings, Settings
from upwell.system.threads import start_thread

__all__ = ["Entrance", "Server", "entrance", "listening_socket", "run_gateway", "server_of"]

GRACE_SECONDS = 5
BACKLOG = 2_048
KEEP_ALIVE_SECONDS = 30

log = logging.getLogger("upwell.gateway")


class Server(uvicorn.Server):
    """uvicorn's, ended by whoever runs it: signals are not its own."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None: `run_gateway` has them."""
        yield


Entrance = tuple[Gatekeeper, socket.socket]
"""Who may call, and where."""


@contextmanager
def entrance(settings: GatewaySettings) -> Iterator[Entrance]:
    """Held from before an engine is started for it, so that what is wrong with it is said at once.
    Raises `SettingsError`.
    """
    keeper = Gatekeeper(settings)
    check_listening(settings.host, keeper)
    with listening_socket(settings.host, settings.port) as listening:
        yield keeper, listening


def run_gateway(
    settings: Settings, dimension: int, entrance: Entrance, say: Callable[[str], None]
) -> None:
    """Serve until SIGTERM or Ctrl-C. dimension: of the items' vectors. say: is told the address.

    Raises `BrokerError`, `ModelError`.
    """
    keeper, listening = entrance
    host, port = listening.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    listens = partial(say, f"http://{shown}:{port}")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, dimension, keeper, listening, listens))


@contextmanager
def listening_socket(host: str, port: int) -> Iterator[socket.socket]:
    """Bound, also to a port that is any (0). Raises `SettingsError`."""
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, socket.SOCK_STREAM)
    except OSError as exc:
        raise SettingsError(
            f"UPWELL_GATEWAY_HOST is {host}: no address of this machine ({exc.strerror})"
        ) from exc
    with bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind(address)
            bound.listen(BACKLOG)  # who is told the address may call at once
        except OSError as exc:
            raise SettingsError(
                f"the gateway cannot listen on {host}:{port} ({exc.strerror}): set "
                "UPWELL_GATEWAY_HOST and UPWELL_GATEWAY_PORT to what is free here"
            ) from exc
        yield bound


def server_of(app: ASGIApp) -> Server:
    """The server as it runs everywhere; `serve` is given the socket."""
    logging.getLogger("uvicorn.error").addFilter(_is_no_dropped_client)
    config = uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,  # paths name users
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    return Server(config)


def _is_no_dropped_client(record: logging.LogRecord) -> bool:
    """Whose stream ends in the middle, on purpose."""
    return "without completing response" not in record.getMessage()


async def _serve(
    settings: Settings,
    dimension: int,
    keeper: Gatekeeper,
    listening: socket.socket,
    listens: Callable[[], None],
) -> None:
    loop = asyncio.get_running_loop()
    failure: BaseException | None = None

    def end(exc: BaseException | None = None) -> None:
        nonlocal failure
        failure = failure or exc
        server.should_exit = True
        gateway.hub.close()

    gateway = await asyncio.to_thread(Gateway, settings, dimension, loop, end)
    server = server_of(application(gateway.parts, settings.gateway, keeper))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)

    def fell(exc: BaseException) -> None:
        loop.call_soon_threadsafe(end, exc)

    start_thread("gateway-warm-up", gateway.warm_up, fell)
    listens()
    await server.serve([listening])
    if failure is not None:
        raise failure
    if gateway.parts.warming() is None:
        await asyncio.to_thread(gateway.close)
