"""Free ports on loopback for one broker: those of its last start where they are still free."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from dataclasses import dataclass

from upwell.errors import BrokerError

__all__ = ["LOOPBACK", "Ports", "choose_ports"]

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Ports:
    """client: where producers and consumers connect. controller: of KRaft, in the same process."""

    client: int
    controller: int


def choose_ports(last: Ports | None, wanted: int | None) -> Ports:
    """Two ports that are free now; another program may still be faster.

    last: taken again where they are free. wanted: the client's, whatever `last` says. Raises
    `BrokerError` when it is not free.
    """
    with ExitStack() as held:
        client = (
            _bind_wanted(held, wanted)
            if wanted is not None
            else _bind_rather(held, last.client if last else 0)
        )
        return Ports(client, _bind_rather(held, last.controller if last else 0))


def _bind_wanted(held: ExitStack, port: int) -> int:
    try:
        return _bind(held, port)
    except (OSError, OverflowError) as exc:
        raise BrokerError(
            f"port {port} on {LOOPBACK} is taken ({exc}): end what listens there, or leave "
            "the port out for a free one"
        ) from exc


def _bind_rather(held: ExitStack, port: int) -> int:
    try:
        return _bind(held, port)
    except (OSError, OverflowError):
        return _bind(held, 0)


def _bind(held: ExitStack, port: int) -> int:
    """Binds as Java will: a port whose last connections are still closing is free."""
    listener = held.enter_context(socket.socket())
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((LOOPBACK, port))
    return int(listener.getsockname()[1])
