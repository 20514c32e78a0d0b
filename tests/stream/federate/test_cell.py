"""Cells: requests over a socket, and what is said of options that are wrong."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from stream.federate.cell import ClientCell, Tls
from upwell.errors import BrokerError, SettingsError

ROOT = Path(__file__).parents[3]


def free_address() -> str:
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{one.getsockname()[1]}"


SERVER = """
import sys, time
from stream.federate.cell import ServerCell, Tls
echo = {"echo": lambda name, body: name.encode() + body}
cell = ServerCell(sys.argv[1], Tls(), echo, lambda name: print("left", name, flush=True))
time.sleep(600)
"""


def test_a_server_answers_by_name_and_without_one_nobody_does() -> None:
    """In a process of its own, as servers are: two ends in one process wait for each other."""
    address = free_address()
    with closing(ClientCell(address, "shop-1", Tls())) as client:
        with pytest.raises(BrokerError, match="does not answer"):
            client.ask("echo", b"x", 1.0)
        server = subprocess.Popen([sys.executable, "-c", SERVER, address], cwd=ROOT)
        try:
            found = b""
            deadline = time.monotonic() + 120
            while not found and time.monotonic() < deadline:
                try:
                    found = client.ask("echo", bytes(3), 5.0)
                except BrokerError:
                    time.sleep(0.1)
        finally:
            server.kill()
            server.wait()
    assert found == b"shop-1" + bytes(3)


@pytest.mark.parametrize("name", ["", "server", "a.b", "é", "a" * 65])
def test_a_name_that_no_cell_may_have(name: str) -> None:
    with pytest.raises(SettingsError, match="--name is"):
        ClientCell("127.0.0.1:1", name, Tls())


def test_tls_takes_all_of_its_files(tmp_path: Path) -> None:
    file = tmp_path / "a.pem"
    file.touch()
    assert Tls().credentials("client") == {}
    with pytest.raises(SettingsError, match="takes all of"):
        Tls(ca=file).credentials("client")
    with pytest.raises(SettingsError, match="there is no file"):
        Tls(file, file, tmp_path / "b.pem").credentials("client")
    assert Tls(file, file, file).credentials("server") == {
        "ca_cert": str(file),
        "server_cert": str(file),
        "server_key": str(file),
        "connection_security": "mtls",
    }
