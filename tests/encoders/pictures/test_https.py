"""A picture by https: who may be asked and at which address, and what an answer may be; from a real
server with TLS on this machine.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from encoders.pictures.https import HttpsFetcher
from tests.encoders.pictures.drawn import drawing, encoded, reason
from tests.security.authority import make_authority

PNG = encoded(drawing())
MOST = 100_000
SECONDS = 20.0  # no test waits for it
Answer = Callable[[ssl.SSLSocket], None]


class Server:
    """Answers each connection by `answer`; `asked`: the requests' heads."""

    def __init__(self, folder: Path) -> None:
        self.authority = make_authority(folder)
        self.answer: Answer = whole(200, PNG)
        self.asked: list[str] = []
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.authority.certificate, self.authority.key)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def fetcher(self, seconds: float = SECONDS, host: str = "localhost") -> HttpsFetcher:
        context = ssl.create_default_context(cafile=str(self.authority.ca))
        return HttpsFetcher(
            [f"{host}:{self.port}"],
            seconds,
            context=context,
            resolve=lambda host, port: ["127.0.0.1"],
            allowed=lambda address: True,
        )

    def get(self, path: str = "/a.png?b=c", seconds: float = SECONDS) -> bytes:
        address = urlsplit(f"https://localhost:{self.port}{path}")
        return self.fetcher(seconds)(address, MOST)

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with (
                suppress(OSError),
                connection,
                self._context.wrap_socket(connection, server_side=True) as secured,
            ):
                self.asked.append(secured.recv(65_536).decode())
                self.answer(secured)


def whole(status: int, body: bytes, *headers: str, length: int | None = None) -> Answer:
    size = len(body) if length is None else length
    head = [f"HTTP/1.1 {status} Said", f"Content-Length: {size}", *headers, "", ""]
    return lambda to: to.sendall("\r\n".join(head).encode() + body)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    found = Server(tmp_path / "authority")
    yield found
    found.close()


def test_a_picture_is_fetched_and_nothing_is_told_of_us(server: Server) -> None:
    assert server.get() == PNG
    head = server.asked[0].lower()
    assert head.startswith("get /a.png?b=c http/1.1\r\n")
    assert "accept-encoding: identity" in head
    assert not {"cookie", "authorization", "user-agent", "referer"} & {
        line.partition(":")[0] for line in head.splitlines()
    }


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(server: Server, status: int) -> None:
    server.answer = whole(status, b"", f"Location: https://localhost:{server.port}/b")
    assert reason(server.get) == "redirect"
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [201, 204, 206, 400, 404, 500])
def test_another_answer_than_200_is_no_picture(server: Server, status: int) -> None:
    server.answer = whole(status, PNG)
    assert reason(server.get) == "status"


def test_more_than_the_most_is_refused_by_what_it_says_and_by_what_it_sends(
    server: Server,
) -> None:
    server.answer = whole(200, PNG, length=MOST + 1)
    assert reason(server.get) == "too_large"

    def endless(to: ssl.SSLSocket) -> None:
        to.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(MOST):
            to.sendall(bytes(4_096))

    server.answer = endless
    assert reason(server.get) == "too_large"


def test_a_picture_that_ends_early_is_none(server: Server) -> None:
    server.answer = whole(200, PNG[:50], length=len(PNG))
    assert reason(server.get) == "unreachable"


def test_what_is_no_http_is_none(server: Server) -> None:
    server.answer = lambda to: to.sendall(b"SSH-2.0-x\r\n")
    assert reason(server.get) == "unreachable"
    server.answer = lambda to: to.sendall(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 1_000 + b"\r\n")
    assert reason(server.get) == "unreachable"


def test_a_server_that_drips_is_late_however_often_it_sends(server: Server) -> None:
    done = threading.Event()

    def drip(to: ssl.SSLSocket) -> None:
        to.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + PNG[:50])
        with suppress(OSError):
            while not done.wait(0.02):
                to.sendall(b"\0")

    server.answer = drip
    assert reason(lambda: server.get(seconds=0.3)) == "timeout"
    done.set()


def test_a_server_that_says_nothing_is_late(server: Server) -> None:
    done = threading.Event()

    def silent(to: ssl.SSLSocket) -> None:
        done.wait(SECONDS)

    server.answer = silent
    assert reason(lambda: server.get(seconds=0.2)) == "timeout"
    done.set()


def test_a_certificate_that_nobody_trusts_or_that_names_another_is_refused(
    server: Server,
) -> None:
    address = urlsplit(f"https://localhost:{server.port}/a.png")
    plain = HttpsFetcher(
        [f"localhost:{server.port}"],
        SECONDS,
        resolve=lambda host, port: ["127.0.0.1"],
        allowed=lambda address: True,
    )
    assert reason(lambda: plain(address, MOST)) == "unreachable"
    other = urlsplit(f"https://cdn.example:{server.port}/a.png")
    assert reason(lambda: server.fetcher(host="cdn.example")(other, MOST)) == "unreachable"
    assert server.asked == []


def test_only_hosts_that_are_named_are_asked_and_only_at_their_port() -> None:
    looked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        looked.append(f"{host}:{port}")
        raise OSError

    fetch = HttpsFetcher(["CDN.example", " img.example:8443 "], SECONDS, resolve=resolve)
    refused = (
        "https://example/a",
        "https://cdn.example.evil.example/a",
        "https://evil.example/cdn.example",
        "https://cdn.example:444/a",
        "https://img.example/a",
        "https://cdn.example@evil.example/a",
        "https://evil.example@cdn.example/a",
        "https://u:p@cdn.example/a",
        "https://2130706433/a",
        "https://127.0.0.1/a",
        "https:///a",
        "https://cdn.example./a",
    )
    for image in refused:
        assert reason(partial(fetch, urlsplit(image), MOST)) == "host", image
    assert looked == []
    for image in ("https://cdn.EXAMPLE/a", "https://cdn.example:443/a", "https://img.example:8443"):
        assert reason(partial(fetch, urlsplit(image), MOST)) == "unreachable"
    assert looked == ["cdn.example:443", "cdn.example:443", "img.example:8443"]


def answers(found: list[str], host: str, port: int) -> list[str]:
    """What a name leads to."""
    return found


def test_a_name_that_leads_inside_is_refused_before_anything_is_opened(server: Server) -> None:
    context = ssl.create_default_context(cafile=str(server.authority.ca))
    for found in (["127.0.0.1"], ["1.1.1.1", "127.0.0.1"], ["::ffff:127.0.0.1"], []):
        fetch = HttpsFetcher(
            [f"localhost:{server.port}"],
            SECONDS,
            context=context,
            resolve=partial(answers, found),
        )
        address = urlsplit(f"https://localhost:{server.port}/a")
        assert reason(partial(fetch, address, MOST)) == "private_address"
    assert server.asked == []


def test_what_was_checked_is_what_is_connected_to(server: Server) -> None:
    """A name that answers otherwise the second time is asked once."""
    later = iter([["127.0.0.1"], ["10.0.0.1"]])
    checked: list[str] = []

    def allowed(address: str) -> bool:
        checked.append(address)
        return True

    fetch = HttpsFetcher(
        [f"localhost:{server.port}"],
        SECONDS,
        context=ssl.create_default_context(cafile=str(server.authority.ca)),
        resolve=lambda host, port: next(later),
        allowed=allowed,
    )
    assert fetch(urlsplit(f"https://localhost:{server.port}/a"), MOST) == PNG
    assert checked == ["127.0.0.1"]
