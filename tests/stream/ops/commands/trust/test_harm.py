"""`upwell harm` as a person types it."""

from __future__ import annotations

import csv
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner, Result

from stream.ops.cli import app
from stream.ops.commands.manual import MANUAL
from tests.stream.chain.policy.harm import examples

POLICY = '[lists.own]\nwords = ["shoot"]\n[classifier]\nmodel = "harm.json"\n'


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Path("texts.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("text", "label"))
        rows.writerows((one.text, "abuse" if one.harmful else 0) for one in examples())
    Path("policy.toml").write_text(POLICY, "utf-8")


def harm(*words: str) -> Result:
    return CliRunner().invoke(app, ["harm", *words])


def learned(*words: str) -> Result:
    return harm("learn", "texts.csv", "--to", "harm.json", "--false-hits", "0.01", *words)


def test_it_is_learned_told_and_holds() -> None:
    done = learned("--json")
    assert done.exit_code == 0, done.output
    told = orjson.loads(done.stdout.splitlines()[-1])
    assert list(told) == list(MANUAL["harm learn"].fields)
    assert told["examples"] == {"harmful": 200, "harmless": 800}
    assert told["held_out"]["recall"]["of"] == 40
    first = Path("harm.json").read_bytes()
    assert learned().exit_code == 0
    assert Path("harm.json").read_bytes() == first

    done = harm("why", "policy.toml", "shoot, a quiet d4rn film", "--json")
    assert done.exit_code == 0, done.output
    told = orjson.loads(done.stdout.splitlines()[-1])
    assert list(told) == list(MANUAL["harm why"].fields)
    assert [one["list"] for one in told["hits"]] == ["own", "abuse"]
    assert told["classifier"]["name"] == "abuse"
    assert told["classifier"]["probability"] >= told["classifier"]["threshold"]
    assert told["classifier"]["grams"][0]["gram"].strip("<>") in "darn"


def test_people_read_the_probability_and_no_escape_code() -> None:
    learned()
    done = harm("why", "policy.toml", "da\u001b[31mrn")
    assert done.exit_code == 0, done.output
    assert "abuse: probability" in done.stdout
    assert "\u001b[31m" not in done.stdout


def test_without_a_classifier_lists_alone_are_told() -> None:
    Path("policy.toml").write_text('[lists.own]\nwords = ["shoot"]\n', "utf-8")
    told = orjson.loads(harm("why", "policy.toml", "shoot", "--json").stdout.splitlines()[-1])
    assert told == {"hits": [{"list": "own", "term": "shoot"}], "classifier": None}


def test_too_few_texts_are_said_in_one_line_and_nothing_is_written() -> None:
    done = harm("learn", "texts.csv", "--to", "harm.json")
    assert done.exit_code == 6
    assert "800 harmless texts" in done.stderr
    assert not Path("harm.json").exists()


def test_a_model_that_is_not_there_ends_it_with_one_line() -> None:
    done = harm("why", "policy.toml", "x")
    assert done.exit_code == 2
    assert "harm.json cannot be read" in done.stderr
