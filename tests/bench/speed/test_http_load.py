"""The load that benches put on an HTTP server, on a real one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bench.speed.http_load import closed_loop, open_loop, request_bytes
from tests.gateway.served import APP, InMemory, a_list, served


def make(loop: asyncio.AbstractEventLoop) -> Any:
    gateway = InMemory()
    gateway.newest.put("ann", 1, a_list("ann"))
    return gateway.app


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


def test_every_request_is_answered_and_timed() -> None:
    requests = [request_bytes("/v1/users/ann/list", APP), request_bytes("/healthz", APP)]
    with served(make) as address:
        found = open_loop(port_of(address), requests, 3, [0.0, 0.001, 0.002, 0.003, 0.01])
        assert len(found) == 5
        assert all(one > 0.0 for one in found)
        rate, closed = closed_loop(port_of(address), requests, 2, 0.05)
        assert closed
        assert rate > 0.0


def test_an_answer_that_is_none_is_no_figure() -> None:
    refused = [request_bytes("/v1/users/bob/list", APP)]
    with served(make) as address, pytest.raises(RuntimeError, match="404"):
        closed_loop(port_of(address), refused, 1, 1.0)
