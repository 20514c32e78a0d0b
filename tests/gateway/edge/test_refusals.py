"""What a refusal looks like over the wire."""

from __future__ import annotations

import orjson
import pytest

from gateway.edge.refusals import REASON, Refused, refusal_response


@pytest.mark.parametrize(("status", "again"), [(429, "1"), (503, "1"), (422, None), (404, None)])
def test_what_passes_by_itself_says_when_to_come_again(status: int, again: str | None) -> None:
    scope: dict[str, object] = {}
    answer = refusal_response(scope, Refused(status, "why", "in words", {"more": 1}))
    assert scope[REASON] == "why"
    assert answer.status_code == status
    assert answer.headers.get("retry-after") == again
    assert orjson.loads(answer.body) == {"reason": "why", "detail": "in words", "more": 1}


def test_its_own_time_to_come_again_stays() -> None:
    refused = Refused(429, "why", "in words", headers={"Retry-After": "7"})
    assert refusal_response({}, refused).headers["retry-after"] == "7"
