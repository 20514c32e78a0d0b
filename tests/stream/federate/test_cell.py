"""Cells: requests over a socket, and what is said of options that are wrong."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from stream.federate.cell import ClientCell, Tls
from tests.stream.federate.certificates import Authority
from upwell.errors import BrokerError, SettingsError

ROOT = Path(__file__).parents[3]


def free_address() -> str:
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{one.getsockname()[1]}"


SERVER = """
import sys, time
from pathlib import Path
from stream.federate.cell import ServerCell, Tls
echo = {"echo": lambda name, body: name.encode() + body}
tls = Tls(*map(Path, sys.argv[2:]))
cell = ServerCell(sys.argv[1], tls, echo, lambda name: print("left", name, flush=True))
time.sleep(600)
"""


@contextmanager
def server(address: str, tls: Tls) -> Iterator[None]:
    """In a process of its own, as servers are: two ends in one process wait for each other."""
    files = [str(one) for one in (tls.ca, tls.certificate, tls.key) if one]
    process = subprocess.Popen([sys.executable, "-c", SERVER, address, *files], cwd=ROOT)
    host, port = address.split(":")
    try:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            with suppress(OSError), closing(socket.create_connection((host, int(port)), 1)):
                break
            time.sleep(0.1)
        yield
    finally:
        process.kill()
        process.wait()


def echo(client: ClientCell, seconds: float) -> bytes:
    """What the server says, b"" where it lets nobody of this name in."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(BrokerError):
            return client.ask("echo", b" is in", 2.0)
        time.sleep(0.1)
    return b""


def test_a_server_answers_by_name_and_without_one_nobody_does() -> None:
    address = free_address()
    with closing(ClientCell(address, "shop-1", Tls())) as client:
        with pytest.raises(BrokerError, match="does not answer"):
            client.ask("echo", b"x", 1.0)
        with server(address, Tls()):
            assert echo(client, 120) == b"shop-1 is in"


def test_with_tls_a_client_gets_in_under_the_name_that_its_certificate_says(tmp_path: Path) -> None:
    """Nobody else, and nobody without; the last to ask shows that the server was still there."""
    address = free_address()
    ours, theirs = Authority(tmp_path / "ours"), Authority(tmp_path / "theirs")
    right = ours.tls("branch-1")
    refused = [("branch-2", right), ("branch-3", theirs.tls("branch-3")), ("branch-4", Tls())]
    with server(address, ours.tls("server")):
        with closing(ClientCell(address, "branch-1", right)) as client:
            assert echo(client, 120) == b"branch-1 is in"
        for name, tls in refused:
            with closing(ClientCell(address, name, tls)) as client:
                assert echo(client, 4) == b"", name
        with closing(ClientCell(address, "branch-5", ours.tls("branch-5"))) as client:
            assert echo(client, 60) == b"branch-5 is in"


def test_certificates_that_cannot_begin(tmp_path: Path) -> None:
    ours, theirs = Authority(tmp_path / "ours"), Authority(tmp_path / "theirs")
    other = replace(theirs.tls("branch-6"), ca=ours.tls("branch-7").ca)
    with pytest.raises(SettingsError, match=r"TLS cannot begin with .*branch-6\.pem: "):
        ClientCell("127.0.0.1:1", "branch-6", other)
    broken = ours.tls("branch-8")
    assert broken.certificate is not None
    broken.certificate.write_text("none")
    with pytest.raises(SettingsError, match=r"TLS cannot begin with .*branch-8\.pem: "):
        ClientCell("127.0.0.1:1", "branch-8", broken)


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
