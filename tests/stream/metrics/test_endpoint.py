from __future__ import annotations

import logging
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import orjson
import pytest

from stream.metrics.endpoint import (
    GATEWAY_PLACE,
    LEARN_PLACE,
    SERVE_PLACE,
    Endpoint,
    endpoint,
    scraped,
)
from stream.metrics.exposition import NewestRecord
from tests.e2e.engine import wait_until
from tests.e2e.watched.test_metrics import free_ports
from upwell.errors import SettingsError
from upwell.settings import MetricsSettings

RECORD = orjson.dumps({"role": "learn", "instance": "learn", "examples": 41})


@pytest.fixture
def listening() -> Iterator[Endpoint]:
    newest = NewestRecord()
    newest.show(RECORD)
    found = Endpoint("127.0.0.1", 0, newest)
    yield found
    found.close()


def read(port: int, path: str = "/metrics") -> str:
    with urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=")
        return str(answer.read().decode())


def test_metrics_are_read_again_and_again(listening: Endpoint) -> None:
    for _ in range(3):
        assert 'upwell_examples_total{worker="learn"} 41.0\n' in read(listening.port)


@pytest.mark.parametrize("path", ["/", "/metrics/x", "/../etc/passwd"])
def test_nothing_else_is_there(listening: Endpoint, path: str) -> None:
    with pytest.raises(HTTPError, match="404"):
        read(listening.port, path)


def test_who_says_nothing_and_who_goes_away_keep_nobody_waiting(
    listening: Endpoint, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    silent = socket.create_connection(("127.0.0.1", listening.port))
    gone = socket.create_connection(("127.0.0.1", listening.port))
    gone.sendall(b"GET /metrics HTTP/1.1\r\nHost")
    gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")  # reset, not closed
    gone.close()
    assert "upwell_examples_total" in read(listening.port)
    wait_until(lambda: "was not taken" in caplog.text, "the reset to be told")
    silent.close()
    assert "Traceback" not in capfd.readouterr().err
    assert all(record.levelno <= logging.WARNING for record in caplog.records)


def test_after_the_end_the_port_is_free() -> None:
    first = Endpoint("127.0.0.1", 0, NewestRecord())
    read(first.port)
    first.close()
    again = Endpoint("127.0.0.1", first.port, NewestRecord())
    read(again.port)
    again.close()


def test_a_port_that_is_taken_is_refused_by_name(listening: Endpoint) -> None:
    with pytest.raises(SettingsError, match=f"127.0.0.1:{listening.port} .*UPWELL_METRICS_PORT"):
        Endpoint("127.0.0.1", listening.port, NewestRecord())
    with (
        pytest.raises(SettingsError, match="a port of"),
        endpoint(MetricsSettings(port=listening.port - LEARN_PLACE), LEARN_PLACE),
    ):
        pass


def test_a_record_that_is_made_is_read_where_its_role_stands() -> None:
    assert sorted({SERVE_PLACE, LEARN_PLACE, GATEWAY_PLACE}) == [0, 1, 2]
    first = free_ports(GATEWAY_PLACE + 1)
    with scraped(MetricsSettings(port=first), GATEWAY_PLACE) as show:
        show(lambda: {"role": "gateway", "instance": "gateway", "lists": 7})
        told = read(first + GATEWAY_PLACE)
    assert 'upwell_gateway_held_lists{worker="gateway"} 7.0\n' in told
    with scraped(MetricsSettings(), GATEWAY_PLACE) as show:
        show(dict)


def test_a_host_that_is_none_is_refused() -> None:
    with pytest.raises(SettingsError, match="no-such-host"):
        Endpoint("no-such-host.invalid", 0, NewestRecord())


def test_an_address_of_version_6_will_do() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    six = Endpoint("::1", 0, NewestRecord())
    with urlopen(f"http://[::1]:{six.port}/metrics", timeout=30) as answer:
        assert answer.status == 200
    six.close()


def test_off_means_that_nothing_listens_and_nothing_is_imported(tmp_path: Path) -> None:
    program = (
        "import sys, threading\n"
        "from stream.metrics.endpoint import SERVE_PLACE, endpoint\n"
        "from upwell.settings import MetricsSettings\n"
        "with endpoint(MetricsSettings(), SERVE_PLACE) as show:\n"
        "    show(b'{}')\n"
        "    print('prometheus_client' in sys.modules, threading.active_count())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout == b"False 1\n"
