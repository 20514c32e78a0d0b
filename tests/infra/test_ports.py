"""Ports for one broker: free, the last ones if they can be had, the wanted one or a line that says
it is taken.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from infra.ports import Ports, choose_ports
from upwell.errors import BrokerError


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_two_different_ports_that_can_be_bound() -> None:
    ports = choose_ports(None, None)
    assert ports.client != ports.controller
    for port in (ports.client, ports.controller):
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))


def test_the_last_ports_are_taken_again_where_they_are_free(taken: int) -> None:
    last = choose_ports(None, None)
    assert choose_ports(last, None) == last
    again = choose_ports(Ports(taken, last.controller), None)
    assert again.client not in (taken, last.controller)
    assert again.controller == last.controller


def test_a_port_whose_connections_are_still_closing_is_free() -> None:
    last = choose_ports(None, None)
    with socket.socket() as server, socket.socket() as client:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", last.client))
        server.listen()
        client.connect(("127.0.0.1", last.client))
        accepted, _ = server.accept()
        accepted.close()  # the server closes first: its side waits in TIME_WAIT
        assert client.recv(1) == b""
    assert choose_ports(last, None) == last


@pytest.mark.parametrize("last", [Ports(99_999_999, -1), Ports(0, 0)])
def test_ports_that_cannot_be_are_replaced(last: Ports) -> None:
    ports = choose_ports(last, None)
    assert 0 < ports.client < 65_536
    assert 0 < ports.controller < 65_536


def test_a_wanted_port_is_had_or_named(taken: int) -> None:
    free = choose_ports(None, None).client
    assert choose_ports(Ports(1, 2), free).client == free
    for port in (taken, 99_999_999):
        with pytest.raises(
            BrokerError, match=rf"^port {port} on 127.0.0.1 is taken \(.+\): [^\n]*$"
        ):
            choose_ports(None, port)
