"""`upwell policy` as a person types it."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner, Result

from stream.ops.cli import app
from stream.ops.commands.manual import MANUAL

RECORDS = [
    {"item_id": "i1", "ts": 1_700_000_000_000, "title": "A darn thing [bold]\u001b[31m"},
    {"item_id": "i2", "ts": 1_700_000_000_000, "title": "A fine thing"},
]


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = ({"topic": "items", "key": one["item_id"], "value": one} for one in RECORDS)
    Path("log.jsonl").write_bytes(b"\n".join(orjson.dumps(one) for one in told))
    Path("policy.toml").write_text('[lists.abuse]\nwords = ["darn"]\n', "utf-8")


def policy(*words: str) -> Result:
    return CliRunner().invoke(app, ["policy", *words])


def test_it_says_what_was_found_and_json_last() -> None:
    done = policy("policy.toml", "log.jsonl", "--json")
    assert done.exit_code == 0
    told = orjson.loads(done.stdout.splitlines()[-1])
    assert list(told) == list(MANUAL["policy"].fields)
    assert told["harmful"] == {"items": 1}
    assert told["terms"][0]["term"] == "darn"


def test_titles_are_data_on_the_terminal() -> None:
    done = policy("policy.toml", "log.jsonl")
    assert done.exit_code == 0
    assert "[bold]" in done.stdout
    assert "\u001b[31m" not in done.stdout
    assert "1 of 2 items" in done.stdout


def test_a_wrong_policy_ends_it_with_one_line() -> None:
    Path("policy.toml").write_text("[lists.abuse]\nwords = 3\n", "utf-8")
    done = policy("policy.toml", "log.jsonl")
    assert done.exit_code == 2
    assert "lists.abuse.words" in done.stderr
