"""Where Prometheus scrapes a worker: an HTTP server on a thread that sleeps until it is asked.

Off unless a port is set: then nothing of it is imported. serve listens on the port, learn on the
next one, the gateway on the one after, so that those of one machine share a setting; a port that is
taken is refused by name at the start (docs/metrics.md).
"""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from upwell.errors import SettingsError
from upwell.settings import MetricsSettings
from upwell.system.threads import start_thread

if TYPE_CHECKING:
    from prometheus_client.registry import Collector

__all__ = [
    "ENCODE_PLACE",
    "GATEWAY_PLACE",
    "LEARN_PLACE",
    "SERVE_PLACE",
    "USE_PLACES",
    "Endpoint",
    "endpoint",
    "scraped",
]

SERVE_PLACE, LEARN_PLACE, GATEWAY_PLACE = 0, 1, 2
USE_PLACES = {"desk": 3, "watch": 4}
ENCODE_PLACE = 5
"""After the port of the settings."""
CLIENT_SECONDS = 10.0
"""That one who asks may take."""
_PATH = "/metrics"

log = logging.getLogger("upwell.metrics")


class Endpoint:
    """Answers `GET /metrics` from `collector` until `close`. port: 0 is a free one.

    Raises `SettingsError` where it cannot listen there.
    """

    def __init__(self, host: str, port: int, collector: Collector) -> None:
        try:
            self._server = _server(host, port, collector)
        except OSError as exc:
            raise SettingsError(
                f"metrics cannot be served on {host}:{port} ({exc.strerror or exc}): serve takes "
                "UPWELL_METRICS_PORT, learn the next one, the gateway the one after; give each "
                "engine on a machine a port of its own, or 0 for none"
            ) from exc
        self._closing = False
        self._thread = start_thread("metrics", self._serve)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def close(self) -> None:
        """Returns when nothing listens any more."""
        self._closing = True
        host = str(self._server.server_address[0])
        with socket.create_connection((host, self.port)):
            pass  # it sleeps until somebody comes
        self._thread.join()
        self._server.server_close()

    def _serve(self) -> None:
        while not self._closing:  # not serve_forever, which wakes up to look whether it shall end
            self._server.handle_request()


@contextmanager
def endpoint(settings: MetricsSettings, place: int) -> Iterator[Callable[[bytes], None]]:
    """What is to be told each record that goes to `metrics`. place: of the role. Raises
    `SettingsError` as `Endpoint`.
    """
    if not settings.port:
        yield lambda _: None
        return
    from stream.metrics.exposition import NewestRecord

    newest = NewestRecord()
    with _listening(settings, place, newest):
        yield newest.show


@contextmanager
def scraped(
    settings: MetricsSettings, place: int
) -> Iterator[Callable[[Callable[[], Mapping[str, Any]]], None]]:
    """Of a process that publishes no record: what is to be told, once, how one is made. It is made
    at each scrape, on the thread that answers. Raises `SettingsError` as `Endpoint`.
    """
    if not settings.port:
        yield lambda _: None
        return
    from stream.metrics.exposition import MadeRecord

    made = MadeRecord()
    with _listening(settings, place, made):
        yield made.show


@contextmanager
def _listening(settings: MetricsSettings, place: int, collector: Collector) -> Iterator[None]:
    listening = Endpoint(settings.host, settings.port + place, collector)
    log.info("metrics on http://%s:%d%s", settings.host, listening.port, _PATH)
    try:
        yield
    finally:
        listening.close()


def _server(host: str, port: int, collector: Collector) -> ThreadingHTTPServer:
    from prometheus_client import MetricsHandler

    class Handler(MetricsHandler):
        registry = collector
        timeout = CLIENT_SECONDS
        server_version, sys_version = "upwell", ""

        def do_GET(self) -> None:
            if self.path.partition("?")[0] == _PATH:
                super().do_GET()
            else:
                self.send_error(404, f"metrics are at {_PATH}")

    class Server(ThreadingHTTPServer):
        address_family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Who asks may go away in the middle: said, and no worker's fault."""
            log.warning("metrics: an answer was not taken: %r", sys.exc_info()[1])

    return Server((host, port), Handler)
