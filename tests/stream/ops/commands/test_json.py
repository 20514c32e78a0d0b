"""`--json`: what the manual says, on standard output alone, and words beside it on the error
output. What needs a running engine is in tests/e2e/test_cli.py.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from learner.release import checkpoint
from learner.release.folder import LocalFolder
from stream.broker.topics import ensure_topics
from stream.ops.commands.manual import MANUAL
from stream.replay.log import read_log
from tests.stream.ops.terminal import running
from tests.stream.ops.test_cli import LINE, upwell
from tests.stream.ops.test_snapshot import settings  # noqa: F401
from upwell.events import Topic
from upwell.settings import Settings, all_settings

RATINGS = "userId,movieId,rating,timestamp\n" + "".join(
    f"{n % 7},{n % 5},4,{964982703 + n}\n" for n in range(40)
)


def said(done: subprocess.CompletedProcess[str], path: str) -> dict[str, Any]:
    """The one object of standard output, with the fields of the manual."""
    [line] = done.stdout.splitlines()
    found: dict[str, Any] = json.loads(line)
    assert list(found) == list(MANUAL[path].fields)
    assert not any(line in done.stderr for line in done.stdout.splitlines())
    return found


@pytest.fixture
def own(settings: Settings) -> dict[str, Any]:  # noqa: F811
    return {
        "UPWELL_KAFKA": settings.kafka.address or "",
        "UPWELL_PREFIX": settings.kafka.prefix,
        "UPWELL_PARTITIONS": "1",
        "UPWELL_DATA": str(settings.data),
    }


def test_snapshot_restore_and_rollback(own: dict[str, Any], tmp_path: Path) -> None:
    taken = upwell(tmp_path, "snapshot", "taken", "--json", **own)
    found = said(taken, "snapshot")
    assert taken.returncode == 0, taken.stderr
    assert (found["folder"], found["running"], found["beside"]) == ("taken", False, None)
    assert found["bytes"] > 0
    assert f"{found['files']} files" in taken.stderr
    fresh: dict[str, Any] = {**own, "UPWELL_DATA": str(tmp_path / "fresh")}
    restored = upwell(tmp_path, "restore", "taken", "--json", **fresh)
    assert restored.returncode == 0, restored.stderr
    assert said(restored, "restore") == {
        "data": str(tmp_path / "fresh"),
        "files": found["files"],
        "records": 0,
        "beside": None,
        "forgotten_again": {"users": 0, "states": 0, "windows": 0, "uses": 0},
    }
    wrong = upwell(tmp_path, "rollback", "3-c", "--json", **fresh)
    assert (wrong.returncode, wrong.stdout) == (8, "")
    assert "1-a" in wrong.stderr
    back = upwell(tmp_path, "rollback", "1-a", "--json", **fresh)
    assert (back.returncode, said(back, "rollback")) == (0, {"version": "1-a"})
    newest = checkpoint.latest(LocalFolder(tmp_path / "fresh" / "models"))
    assert newest is not None
    assert (
        checkpoint.load(LocalFolder(tmp_path / "fresh" / "models"), newest.name)[1]["version"]
        == "1-a"
    )


def test_an_imported_log_lies_in_its_file_whole_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_text(RATINGS)
    words = ("import", "movielens", "ratings.csv", "--out", "log.jsonl.gz", "--json")
    done = upwell(tmp_path, *words)
    assert done.returncode == 0, done.stderr
    assert said(done, "import")["events"] == {"reviews": 40}
    assert len(list(read_log(tmp_path / "log.jsonl.gz"))) == 40
    assert upwell(tmp_path, *words).returncode == 6  # it is there
    (tmp_path / "ratings.csv").write_text("userId,movieId,rating,timestamp\n1,2,9,x\n")
    broken = upwell(tmp_path, "import", "movielens", "ratings.csv", "--out", "other", "--json")
    assert (broken.returncode, broken.stdout) == (6, "")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["log.jsonl.gz", "ratings.csv"]


def test_a_log_on_standard_output_leaves_the_object_on_the_other(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_text(RATINGS)
    done = upwell(tmp_path, "import", "movielens", "ratings.csv", "--plain", "--json")
    assert list(json.loads(done.stderr.splitlines()[-1])) == list(MANUAL["import"].fields)
    assert all(json.loads(line)["topic"] == "reviews" for line in done.stdout.splitlines())


def test_a_replay_and_the_letters_that_come_of_none(own: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text(LINE)
    done = upwell(tmp_path, "replay", "log.jsonl", "--json", **own)
    assert done.returncode == 0, done.stderr
    assert said(done, "replay")["sent"] == 1
    assert "1/1" in done.stderr
    letters = upwell(tmp_path, "dead-letters", "list", "--json", **own)
    assert said(letters, "dead-letters list") == {"letters": [], "replayed": 0}
    none = upwell(tmp_path, "dead-letters", "replay", "--all", "--json", **own)
    assert said(none, "dead-letters replay") == {"sent": [], "skipped": {}}


def test_watch_prints_a_list_a_line(kafka: str, prefix: str, tmp_path: Path) -> None:
    ensure_topics(prefix, 1, {"bootstrap_servers": [kafka]})
    made = {
        "list_id": "l",
        "user_id": "ann",
        "items": [],
        "model_version": "m",
        "trigger": "e",
        "covers": {},
        "ts": 1,
        "latency_ms": 2,
        "surface": None,
    }
    own: dict[str, Any] = {"UPWELL_KAFKA": kafka, "UPWELL_PREFIX": prefix}
    with running(tmp_path, ["watch", "--json", "--count", "2"], **own) as process:
        assert process.stderr is not None
        assert b"waiting for lists" in process.stderr.readline()
        with KafkaProducer(bootstrap_servers=kafka, acks="all") as producer:
            for number in range(2):
                value = json.dumps({**made, "ts": number}).encode()
                producer.send(prefix + Topic.RECOMMENDATIONS, value=value, key=b"ann")
        out, rest = process.communicate(timeout=60)
    assert (process.returncode, rest) == (0, b"")
    assert [json.loads(line) for line in out.splitlines()] == [{**made, "ts": n} for n in (0, 1)]


def test_every_setting_for_scripts_without_a_secret(tmp_path: Path) -> None:
    secret = "ab" * 32
    done = upwell(tmp_path, "doctor", "--settings", "--json", UPWELL_KEY=secret, UPWELL_LIST_K="12")
    found = json.loads(done.stdout)
    assert list(found) == [one.variable for one in all_settings()]
    assert found["UPWELL_LIST_K"] == {
        "value": "12",
        "origin": "set",
        "right": "1 to 100",
        "does": "in a list, unless a request asks for more or fewer",
    }
    assert secret not in done.stdout + done.stderr


def test_an_evaluation(tmp_path: Path) -> None:
    shown = {
        "event_id": "1",
        "ts": 1_700_000_000_000,
        "user_id": "u",
        "list_id": "l",
        "item_ids": ["a", "b"],
        "propensities": [0.9, 0.9],
    }
    line = json.dumps({"topic": "impressions", "key": "u", "value": shown})
    (tmp_path / "log.jsonl").write_text(line + "\n")
    done = upwell(tmp_path, "evaluate", "log.jsonl", "--policy", "popularity", "--json")
    assert done.returncode == 0, done.stderr
    found = said(done, "evaluate")
    assert found["counts"]["impressions"] == 1
    assert {"ips", "snips", "dr", "logged", "abstains"} <= set(found["valued"])
