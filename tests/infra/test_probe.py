"""Ready is who answers as Kafka does; all else is a plain False, soon."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from infra import probe
from infra.probe import answers


@pytest.fixture
def stranger(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of one who takes connections and hangs up: no Kafka."""
    monkeypatch.setattr(probe, "BOOTSTRAP_MS", 300)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up() -> None:
            while True:
                try:
                    listener.accept()[0].close()
                except OSError:
                    return

        thread = threading.Thread(target=hang_up)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_a_broker_that_runs_answers(kafka: str) -> None:
    host, _, port = kafka.rpartition(":")
    assert answers(host, int(port))


def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        assert not answers("127.0.0.1", free.getsockname()[1])


def test_who_listens_but_is_no_broker_does_not_answer(stranger: int) -> None:
    assert not answers("127.0.0.1", stranger)
