"""The command line beside a running engine, as a script and as a person use it: `upwell top` on
what real workers say, lists asked for and watched, a snapshot meanwhile.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from stream.ops.commands.manual import MANUAL
from tests.e2e.engine import Engine, bundled_log, send
from tests.stream.ops.terminal import ESCAPE, running, terminal
from tests.stream.ops.test_cli import upwell

pytestmark = pytest.mark.timeout(400)


def test_a_running_engine_from_the_command_line(kafka: str, prefix: str, tmp_path: Path) -> None:
    items, events = bundled_log(200)
    own: dict[str, Any] = {
        "UPWELL_KAFKA": kafka,
        "UPWELL_PREFIX": prefix,
        "UPWELL_DATA": str(tmp_path / "data"),
    }
    with Engine(kafka, prefix, tmp_path / "data") as engine:
        with KafkaProducer(**engine.client) as producer:
            send(producer, prefix, items)
            engine.wait(engine.settled, "the catalogue")
            send(producer, prefix, events)
        engine.wait(engine.settled, "the events")
        engine.wait(lambda: top(tmp_path, own)["quality"] is not None, "a tested target")
        engine.wait(lambda: top(tmp_path, own)["lag"] == {}, "the lag to be told")
        found = top(tmp_path, own)
        asks_and_watches(tmp_path, own)
        looks_at_the_screen(tmp_path, own)
        taken = upwell(tmp_path, "snapshot", "taken", "--json", **own)
    assert taken.returncode == 0, taken.stderr
    assert json.loads(taken.stdout)["running"] is True
    assert [one["role"] for one in found["workers"]] == ["serve", "learn"]
    assert all(one["said_s"] < 5 for one in found["workers"])
    assert all(one["memory_bytes"] > 10_000_000 for one in found["workers"])
    assert all(one["cpu"] >= 0 for one in found["workers"])
    assert found["items"] == len(items)
    assert found["users"] > 0
    assert 0 <= found["quality"]["ndcg10"] <= 1
    assert found["quality"]["peer"] is not None
    assert set(found["guard"]["rulings"]) == {"promote", "superseded", "roll_back"}
    assert found["model"]["version"]
    assert found["dead_letters"] == {}


def top(folder: Path, own: dict[str, Any]) -> dict[str, Any]:
    done = upwell(folder, "top", "--once", "--json", **own)
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    assert list(found) == list(MANUAL["top"].fields)
    return found


def asks_and_watches(folder: Path, own: dict[str, Any]) -> None:
    """A list that is asked for is the one that is watched."""
    with running(folder, ["watch", "--user", "ann", "--count", "1", "--json"], **own) as watching:
        assert watching.stderr is not None
        assert b"waiting" in watching.stderr.readline()
        asked = upwell(folder, "recommend", "--user", "ann", "--k", "3", "--json", **own)
        seen, _ = watching.communicate(timeout=60)
    assert asked.returncode == 0, asked.stderr
    [line] = asked.stdout.splitlines()
    assert json.loads(seen) == json.loads(line)
    assert len(json.loads(line)["items"]) == 3
    for columns in ("40", "80"):
        shown = upwell(folder, "recommend", "--user", "ann", **{**own, "COLUMNS": columns})
        assert max(map(len, shown.stdout.splitlines())) <= int(columns)
        assert "…" not in shown.stdout
        assert "\x1b" not in shown.stdout


def looks_at_the_screen(folder: Path, own: dict[str, Any]) -> None:
    """And at one without colours or codes."""
    with terminal(folder, ["top"], **own) as screen:
        screen.until(b"serve-0")
        screen.type(b"\x03")
        assert screen.to_the_end() == 130
    with terminal(folder, ["recommend", "--user", "ann"], **own, TERM="dumb") as screen:
        assert screen.to_the_end() == 0
    assert ESCAPE not in screen.seen
