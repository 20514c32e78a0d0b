"""The process: `upwell serve` on a real broker, started and ended as a person does."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from gateway.run import listening_socket
from stream.broker.topics import ensure_topics
from stream.metrics.endpoint import GATEWAY_PLACE
from tests.e2e.watched.test_metrics import free_ports
from tests.gateway.served import APP, OPERATOR, wait_until
from upwell.errors import SettingsError

USER = "ann-of-the-test"
LISTENS = re.compile(r"the gateway listens on (http://\S+);")


@contextmanager
def process(
    kafka: str, prefix: str, folder: Path, *words: str, **environ: str
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """`upwell serve`, and where what it says goes."""
    own = {
        "UPWELL_KAFKA": kafka,
        "UPWELL_PREFIX": prefix,
        "UPWELL_DATA": str(folder),
        "UPWELL_GATEWAY_APP_TOKEN": APP,
        "UPWELL_GATEWAY_OPERATOR_TOKEN": OPERATOR,
        **environ,
    }
    said = folder / "said"
    with said.open("wb") as output:
        command = [sys.executable, "-P", "-m", "upwell", "serve", *words]
        started = subprocess.Popen(
            command, env={**os.environ, **own}, stdout=output, stderr=output, cwd=folder
        )
    try:
        yield started, said
    finally:
        started.kill()
        started.wait()


def address(said: Path) -> str:
    wait_until(lambda: LISTENS.search(said.read_text()) is not None, "the address")
    found = LISTENS.search(said.read_text())
    assert found is not None
    return found[1]


@pytest.mark.timeout(240)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_listens_on_any_port_gets_ready_and_ends_in_order(
    kafka: str, prefix: str, tmp_path: Path, number: signal.Signals
) -> None:
    ensure_topics(prefix, 4, {"bootstrap_servers": kafka})
    port = free_ports(GATEWAY_PLACE + 1)
    with process(kafka, prefix, tmp_path, "--port", "0", UPWELL_METRICS_PORT=str(port)) as (
        started,
        said,
    ):
        headers = {"Authorization": f"Bearer {APP}"}
        with httpx.Client(base_url=address(said), headers=headers, timeout=30.0) as client:
            wait_until(lambda: client.get("/readyz").status_code == 200, "it to be ready", 180)
            click = {"topic": "clicks", "user_id": USER, "item_id": "i", "action": "view"}
            assert client.post("/v1/events", json=click).status_code == 202
            assert client.get(f"/v1/users/{USER}/list").status_code == 404
            assert client.get("/v1/popular").json()["items"] == []
            assert client.get(f"/v1/users/{USER}/list", headers={"Authorization": ""}).is_error
            figures = httpx.get(f"http://127.0.0.1:{port + GATEWAY_PLACE}/metrics").text
            assert 'call="newestList",status="404",worker="gateway"} 1.0' in figures
            assert not [secret for secret in (APP, OPERATOR, USER) if secret in figures]
            with client.stream("GET", f"/v1/users/{USER}/events") as stream:
                told = stream.iter_lines()
                assert next(told) == ": upwell"
                started.send_signal(number)
                assert [line for line in told if line] == []
        assert started.wait(60) == 0
        words = said.read_text()
        assert "Traceback" not in words
        assert not [secret for secret in (APP, OPERATOR, USER) if secret in words]


@pytest.mark.timeout(240)
def test_topics_that_are_not_there_end_it_with_one_line(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    with process(kafka, prefix, tmp_path, "--port", "0") as (started, said):
        assert started.wait(120) == 3
        line = said.read_text().splitlines()[-1]
        assert line.startswith(f"upwell: topic {prefix}recommendations does not exist: has")


def test_a_socket_is_bound_to_a_port_that_is_free_and_takes_calls_at_once() -> None:
    with listening_socket("127.0.0.1", 0) as first, listening_socket("127.0.0.1", 0) as second:
        assert first.getsockname()[1] != second.getsockname()[1]
        socket.create_connection(first.getsockname()).close()
        port = first.getsockname()[1]
        with (
            pytest.raises(SettingsError, match=f"cannot listen on 127.0.0.1:{port}"),
            listening_socket("127.0.0.1", port),
        ):
            pass


def test_an_address_of_version_6_is_one_too() -> None:
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    with listening_socket("::1", 0) as bound:
        assert bound.family is socket.AF_INET6
