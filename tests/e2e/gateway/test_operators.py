"""Operators' words and going back, over HTTP beside a real engine, as the next lists show them."""

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


def shown(door: Door) -> list[str]:
    """Of a list that is made now."""
    answer = door.client.post("/v1/users/ann/lists?timeout=60")
    assert answer.status_code == 200, answer.text
    return [entry["item_id"] for entry in answer.json()["items"]]


def say(door: Door, item: str, kind: str, **more: Any) -> None:
    word = {"kind": kind, "by": "op", "why": f"{kind} of a test", **more}
    answer = door.client.post(f"/v1/items/{item}/controls", json=word)
    assert answer.status_code == 202, answer.text


def standing(door: Door) -> dict[str, dict[str, Any]]:
    return {one["item_id"]: one for one in door.client.get("/v1/controls").json()["items"]}


def test_each_word_is_seen_in_the_next_lists_and_stands_until_it_is_cleared(door: Door) -> None:
    say(door, "i20", "pin_item")
    wait_until(lambda: shown(door)[0] == "i20", "the pinned one to stand first", 90)
    say(door, "i20", "boost_item", boost=1.5)
    say(door, "i20", "ban_item")
    wait_until(lambda: "i20" not in shown(door), "the banned one to be gone", 90)
    wait_until(lambda: standing(door).get("i20", {}).get("banned", False), "it to be told", 90)
    told = standing(door)["i20"]
    assert (told["pinned"], told["boost"]) == (True, 1.5)
    assert [(one["kind"], one["by"], one["why"]) for one in told["words"]] == [
        (kind, "op", f"{kind} of a test") for kind in ("pin_item", "boost_item", "ban_item")
    ]
    say(door, "i20", "clear_item")
    wait_until(lambda: standing(door) == {}, "nothing to stand", 90)


def test_the_model_goes_back_and_learns_again(door: Door) -> None:
    def versions() -> dict[str, Any]:
        answer = door.client.get("/v1/versions")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    users = iter(range(10_000))

    def several() -> bool:
        door.post(
            *(
                {"topic": "clicks", "user_id": f"u{next(users)}", "item_id": f"i{item}",
                 "action": "like"}
                for item in range(10)
            )
        )  # fmt: skip
        door.engine.settle("the likes")
        return len(versions()["versions"]) >= 2

    wait_until(several, "two versions", 120)
    back = versions()["versions"][-1]
    answer = door.client.post(f"/v1/versions/{back}/rollback?timeout=60")
    assert (answer.status_code, answer.json()) == (200, {"version": back})

    def went_back() -> list[str]:
        rulings = versions()["rulings"]
        return [one["version"] for one in rulings if one["verdict"] == "went_back"]

    wait_until(lambda: went_back() == [back], "it to be told", 60)
    door.engine.settle("what came after it to be learned again")
    assert shown(door)
    unknown = door.client.post("/v1/versions/0-none/rollback")
    assert (unknown.status_code, unknown.json()["reason"]) == (404, "unknown_version")
