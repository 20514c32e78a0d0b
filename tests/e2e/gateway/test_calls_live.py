"""The gateway beside a real engine: what an app sees over HTTP alone."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.gateway.door import ITEMS, Door, opened
from tests.gateway.served import OPERATOR, wait_until
from upwell.client import UpwellClient
from upwell.events import Topic


@pytest.fixture(scope="module")
def door(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with opened(kafka, tmp_path_factory.mktemp("engine")) as one:
        yield one


@pytest.mark.timeout(400)
def test_a_click_is_answered_by_a_list(door: Door) -> None:
    [click] = door.post({"topic": "clicks", "user_id": "ann", "item_id": "i3", "action": "like"})
    found = door.listed("ann", click)
    assert found["user_id"] == "ann"
    assert "i3" not in [entry["item_id"] for entry in found["items"]]


@pytest.mark.timeout(240)
def test_a_user_without_a_list_gets_one_by_asking(door: Door) -> None:
    assert door.client.get("/v1/users/new%2Fcomer/list").status_code == 404
    found = door.client.get("/v1/users/new%2Fcomer/list?request=true&timeout=60")
    assert found.status_code == 200
    assert found.json()["user_id"] == "new/comer"
    assert door.client.get("/v1/users/new%2Fcomer/list").json() == found.json()


@pytest.mark.timeout(240)
def test_wishes_are_met(door: Door) -> None:
    wish = {"k": 5, "category": "trains", "exclude": ["i12", "i13"]}
    found = door.client.post("/v1/users/bob/lists?timeout=60", json=wish)
    assert found.status_code == 200
    shown = {entry["item_id"] for entry in found.json()["items"]}
    assert shown <= {f"i{number}" for number in range(14, 24)}
    assert len(shown) == 5


@pytest.mark.timeout(240)
def test_what_no_list_can_be_is_answered_at_once_and_is_no_dead_letter(door: Door) -> None:
    refused = door.client.post("/v1/users/bob/lists", json={"k": 200})
    assert (refused.status_code, refused.json()["reason"]) == (422, "out_of_range")
    assert door.engine.seen(Topic.DEAD_LETTERS) == []


@pytest.mark.timeout(240)
def test_lists_come_live(door: Door) -> None:
    with door.client.stream("GET", "/v1/users/eve/events") as stream:
        told = stream.iter_lines()
        assert next(told) == ": upwell"
        [click] = door.post(
            {"topic": "clicks", "user_id": "eve", "item_id": "i14", "action": "click"}
        )
        while f'"trigger":"{click}"' not in next(told):
            pass


@pytest.mark.timeout(240)
def test_items_are_found_without_a_user(door: Door) -> None:
    alike = door.client.get("/v1/items/i0/similar?k=5").json()["items"]
    assert {ITEMS[int(one["item_id"][1:])]["categories"][0] for one in alike} == {"boats"}
    popular = door.client.get("/v1/popular?category=trains&k=3").json()
    assert {ITEMS[int(one["item_id"][1:])]["categories"][0] for one in popular["items"]} <= {
        "trains"
    }
    word = {"topic": "controls", "kind": "ban_item", "item_id": "i1", "by": "op", "why": "test"}
    door.post(word)
    wait_until(
        lambda: (
            "i1"
            not in [
                one["item_id"]
                for one in door.client.get("/v1/items/i0/similar?k=50").json()["items"]
            ]
        ),
        "the ban",
        90,
    )


@pytest.mark.timeout(240)
def test_forgetting_is_confirmed_and_the_list_is_gone(door: Door) -> None:
    [click] = door.post({"topic": "clicks", "user_id": "zoe", "item_id": "i5", "action": "like"})
    door.listed("zoe", click)
    told = door.client.delete("/v1/users/zoe?why=asked%20by%20mail&timeout=60")
    assert told.status_code == 200
    assert told.json()["removed"]["state"] == 1
    assert told.json()["remains"]
    assert door.client.get("/v1/users/zoe/list").status_code == 404


CURL = shutil.which("curl")
PAGE = Path(__file__).parents[3] / "docs" / "gateway.md"


@pytest.mark.skipif(CURL is None, reason="there is no curl on this machine")
@pytest.mark.timeout(300)
def test_the_examples_of_the_page_are_right(door: Door, tmp_path: Path) -> None:
    """Each block of docs/gateway.md, in its order; the first one's address is the gateway's own."""
    first, *blocks = re.findall(r"^```bash\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert "http://127.0.0.1:8080" in first
    start = first.replace("http://127.0.0.1:8080", str(door.client.base_url).rstrip("/"))
    assert len(blocks) >= 6
    for block in blocks:
        streams = "curl -N" in block
        (tmp_path / ".curlrc").write_text(
            f"silent\nshow-error\nfail-with-body\nmax-time = {3 if streams else 90}\n"
        )
        done = subprocess.run(
            ["/bin/bash", "-euo", "pipefail", "-c", start + block],
            env={**os.environ, "TOKEN": OPERATOR, "CURL_HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == (28 if streams else 0), block + done.stdout + done.stderr
        assert ("event: list" if streams else "{") in done.stdout


@pytest.mark.timeout(240)
def test_a_list_is_what_the_client_reads_of_kafka(door: Door) -> None:
    kafka = door.engine.settings.kafka
    with UpwellClient(kafka.address or "", kafka) as upwell:
        answer = upwell.request_list("kim", timeout=60.0)
    assert door.listed("kim", answer.trigger)["list_id"] == answer.list_id
