"""An item that users report waits for a person, is decided over HTTP, and is gone from the queue
and from the next lists: beside a real engine.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.gateway.door import Door, opened
from tests.gateway.served import wait_until

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def door(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with opened(kafka, tmp_path_factory.mktemp("engine")) as one:
        yield one


def waiting(door: Door) -> dict[str, dict[str, Any]]:
    answer = door.client.get("/v1/review?k=100")
    assert answer.status_code == 200, answer.text
    return {one["item_id"]: one for one in answer.json()["items"]}


def shown(door: Door) -> list[str]:
    """Of a list of all boats, made now."""
    answer = door.client.post("/v1/users/eve/lists?timeout=60", json={"k": 50, "category": "boats"})
    assert answer.status_code == 200, answer.text
    return [entry["item_id"] for entry in answer.json()["items"]]


def report(door: Door, item: str, *users: str) -> None:
    door.post(
        *(
            {"topic": "clicks", "user_id": user, "item_id": item, "action": "report"}
            for user in users
        )
    )


def decide(door: Door, item: str, decision: str, **more: Any) -> Any:
    word = {"decision": decision, "by": "ann", "why": f"{decision} of a test", **more}
    return door.client.post(f"/v1/review/{item}/decisions?timeout=60", json=word)


def test_a_reported_item_is_decided_and_out_of_the_next_list(door: Door) -> None:
    assert waiting(door) == {}
    assert {"i1", "i2", "i3"} <= set(shown(door))
    report(door, "i1", "bob", "\u00fcn\u00efq", "carl", "dora")
    report(door, "i2", "bob", "carl", "dora")
    report(door, "i3", "bob", "carl")
    wait_until(lambda: len(waiting(door)) == 2, "the reported ones to wait for somebody", 120)
    rows = waiting(door)
    assert list(rows) == ["i1", "i2"], "most speak against the first; too few against i3"
    assert (rows["i1"]["against"], rows["i1"]["reasons"]) == (4, ["reported"])
    assert rows["i1"]["announced"] <= rows["i1"]["since"]
    banned = decide(door, "i1", "ban", seen=None)
    assert (banned.status_code, banned.json()["state"]) == (200, "in_force"), banned.text
    assert list(waiting(door)) == ["i2"]
    wait_until(lambda: "i1" not in shown(door), "the banned one to be gone", 90)
    assert {"i2", "i3"} <= set(shown(door))
    again = decide(door, "i1", "keep", seen=None)
    assert (again.status_code, again.json()["reason"]) == (409, "decided_meanwhile")
    kept = decide(door, "i2", "keep", seen=None)
    assert (kept.status_code, kept.json()["state"]) == (200, "in_force")
    assert waiting(door) == {}
    assert "i2" in shown(door)
    one = door.client.get("/v1/review/i1").json()
    assert (one["decided"]["decision"], one["decided"]["by"]) == ("ban", "ann")
    lifted = decide(door, "i1", "keep", seen=banned.json()["event_id"])
    assert lifted.status_code == 200
    wait_until(lambda: "i1" in shown(door), "the one whose ban was replaced to be back", 90)
