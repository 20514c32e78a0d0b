"""Requests on a real socket: python -m tests.fuzz.http [--requests 10000] [--seed 0]. Its last line
is JSON.

Whatever comes, no answer is 500, none holds a token, and no log line does. The gateway's parts are
in memory: Kafka and the engine stand behind the same calls in tests/e2e/gateway/test_calls_live.py.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import re
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import orjson
from hypothesis import HealthCheck, Phase, given, seed, settings

from gateway.edge import reading
from gateway.topics.send import Parcel
from tests.fuzz.http_inputs import requests
from tests.gateway.served import APP, OPERATOR, InMemory, a_list, served
from upwell.codec import confirmation_value
from upwell.recommendations import Confirmation

__all__ = ["Judge", "fuzz_requests"]

ROUND = 500
ANSWER_SECONDS = 30.0
MORE_SECONDS = 0.02
"""That bytes which are no whole request are looked after."""
BODY_SECONDS = 0.2
"""That a body which never ends is waited for here."""
ALLOWED = frozenset({200, 202, 400, 401, 403, 404, 405, 408, 413, 422, 503, 504})
STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
RESET = b"reset"
SECRETS = (APP.encode(), OPERATOR.encode())


class _Heard(logging.Handler):
    """All that is logged, as a line each."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


class Judge:
    """What must hold of any answer. statuses: how often each came; none: the connection was closed
    without one.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self.statuses: Counter[int | None] = Counter()

    def request(self, raw: bytes) -> None:
        """Send it, and look at what comes back until the connection ends."""
        answer = self._answer(raw)
        found = STATUS.match(answer)
        status = None if found is None else int(found[1])
        self.statuses[status] += 1
        assert status is None or status in ALLOWED, answer[:500]
        silent = status is None and answer != RESET
        assert not (silent and raw.startswith((b"GET /v1", b"POST /v1"))), raw
        assert not [secret for secret in SECRETS if secret in answer]

    def _answer(self, raw: bytes) -> bytes:
        answer = b""
        whole = b" HTTP/1.1\r\n" in raw and b"\r\n\r\n" in raw
        patience = ANSWER_SECONDS if whole else MORE_SECONDS
        with socket.create_connection(("127.0.0.1", self._port), patience) as connection:
            try:
                connection.sendall(raw)
                while part := connection.recv(65_536):
                    answer += part
            except ConnectionError:  # it was closed before all was read, and took the answer along
                return answer or RESET
            except TimeoutError:  # it waits for the rest of what may become a request
                assert not whole, raw
        return answer


@contextmanager
def heard() -> Iterator[list[str]]:
    """Every log line meanwhile; with no token in any."""
    handler, root = _Heard(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield handler.lines
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
    assert not [line for line in handler.lines if APP in line or OPERATOR in line]


def fuzz_requests(count: int, first_seed: int) -> Judge:
    """So many requests. Raises what one brings about, that one shrunk."""
    gateways: list[InMemory] = []

    def make(loop: asyncio.AbstractEventLoop) -> Any:
        own = replace(InMemory().settings, rate=0.0, body_bytes=65_536, streams=0)
        gateway = InMemory(own)
        gateway.out.loop = loop
        gateway.newest.put("ann", 1, a_list("ann"))
        gateway.out.on_parcel = lambda parcel, place: _serve(gateway, parcel)
        gateways.append(gateway)
        return gateway.app

    before, reading.BODY_SECONDS = reading.BODY_SECONDS, BODY_SECONDS
    try:
        with heard(), served(make) as address:
            judge = Judge(int(address.rpartition(":")[2]))
            number = first_seed
            while judge.statuses.total() < count:
                _round(judge, min(ROUND, count - judge.statuses.total()), number)
                number += 1
        assert gateways[0].sender.in_flight == 0
        assert gateways[0].waiting._lists == {}
    finally:
        reading.BODY_SECONDS = before
    return judge


def _round(judge: Judge, count: int, number: int) -> None:
    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(requests())
    def judged(raw: bytes) -> None:
        judge.request(raw)

    judged()


def _serve(gateway: InMemory, parcel: Parcel) -> None:
    """The engine's part: what waits is answered."""
    value = orjson.loads(parcel.value)
    user_id = value.get("user_id")
    if parcel.topic == "requests":
        gateway.waiting.answered(user_id, a_list(user_id, value["request_id"]))
    elif value.get("kind") == "forget_user":
        told = Confirmation(
            user_id=user_id, event_id=value["event_id"], removed={}, remains=(), ts=1
        )
        gateway.waiting.answered(user_id, confirmation_value(told))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    started = time.monotonic()
    judge = fuzz_requests(arguments.requests, arguments.seed)
    for status, count in sorted(judge.statuses.items(), key=lambda one: -one[1]):
        sys.stdout.write(f"{status or 'closed':<20} {count:>8,}\n")
    figures = {
        "seed": arguments.seed,
        "requests": judge.statuses.total(),
        "statuses": {str(status): count for status, count in judge.statuses.items()},
        "wall_s": round(time.monotonic() - started, 1),
    }
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
