"""The short run of what `python -m tests.fuzz.http` does at length: no 500, no token in an answer
or a log line.
"""

from __future__ import annotations

import logging

import pytest

from tests.fuzz.http import Judge, fuzz_requests, heard
from tests.gateway.served import APP

REQUESTS = 400


@pytest.mark.timeout(300)
def test_no_request_is_more_than_refused() -> None:
    judge = fuzz_requests(REQUESTS, 0)
    assert judge.statuses.total() >= REQUESTS
    # what hypothesis draws comes in clusters: which of the rarer ones, differs from run to run
    assert {200, 202, 400, 422} <= judge.statuses.keys()
    assert len(judge.statuses) >= 7


def test_a_token_in_a_log_line_is_noticed() -> None:
    with pytest.raises(AssertionError), heard():
        logging.getLogger("upwell.gateway").debug("a header: %s", APP)


def test_a_500_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    judge = Judge(0)
    monkeypatch.setattr(judge, "_answer", lambda raw: b"HTTP/1.1 500 Internal Server Error\r\n")
    with pytest.raises(AssertionError):
        judge.request(b"GET / HTTP/1.1")
