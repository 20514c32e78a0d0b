"""What is told of a run, and what is not."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from stream.runs import about as module
from stream.runs.about import About, digest, run_name, told
from stream.runs.code import package_version
from upwell.settings import Settings, load_settings
from upwell.system.hardware import hardware

KEY = "0123456789abcdef" * 4
SECRETS = {
    "UPWELL_KEY": KEY,
    "UPWELL_QDRANT_API_KEY": "hush-qdrant",
    "UPWELL_SASL_PASSWORD": "hush-kafka",
    "UPWELL_GATEWAY_APP_TOKEN": "hush-of-the-app-1",
    "UPWELL_GATEWAY_OPERATOR_TOKEN": "hush-of-the-operator-1",
}


@pytest.fixture
def about(tmp_path: Path) -> About:
    log = tmp_path / "log.jsonl"
    log.write_bytes(b"{}\n")
    return About("adapt-1", {"steps": 20, "rate": 0.5}, log, Settings())


def test_options_code_data_and_processor_are_told(
    about: About, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "commit", lambda file: "abc-dirty")
    assert told(about) == {
        "steps": 20,
        "rate": 0.5,
        "upwell": package_version(),
        "commit": "abc-dirty",
        "data": str(tmp_path / "log.jsonl"),
        "data_sha256": hashlib.sha256(b"{}\n").hexdigest(),
        "hardware": hardware(),
    }


def test_without_a_git_and_without_a_log_neither_is_told(
    about: About, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "commit", lambda file: None)
    assert told(replace(about, data=None)).keys() == {"steps", "rate", "upwell", "hardware"}


def test_options_are_told_as_a_person_writes_them(about: About) -> None:
    options = {
        "log": Path("a/b.jsonl"),
        "fused": True,
        "ablations": None,
        "sizes": [10, 20],
        "schedule": {"steps": 3, "every": {"n": 1}},
    }
    found = told(replace(about, options=options))
    assert {name: found[name] for name in list(found)[:6]} == {
        "log": "a/b.jsonl",
        "fused": "on",
        "ablations": "–",
        "sizes": "10, 20",
        "schedule/steps": 3,
        "schedule/every/n": 1,
    }


def test_settings_are_told_where_they_are_not_the_default(about: About) -> None:
    own = load_settings({"UPWELL_SEED": "8", "UPWELL_FUSED": "off", "UPWELL_LIST_K": "10"})
    found = told(replace(about, settings=own))
    assert {name: value for name, value in found.items() if name.startswith("UPWELL_")} == {
        "UPWELL_SEED": "8",
        "UPWELL_FUSED": "off",
    }


def test_no_secret_is_told(about: About) -> None:
    own = load_settings(SECRETS)
    options = {
        "qdrant": "http://ann:hush-url@qdrant:6333",
        "others": ["https://hush-token@host/a", "plain"],
    }
    found = told(replace(about, options=options, settings=own))
    assert {found[name] for name in SECRETS} == {"***"}
    assert found["qdrant"] == "http://…@qdrant:6333"
    assert found["others"] == "https://…@host/a, plain"
    assert not [one for one in ("hush", KEY) if one in str(found)]


def test_a_folders_digest_is_of_names_and_contents_alike(tmp_path: Path) -> None:
    for name in "one", "other":
        (tmp_path / name / "below").mkdir(parents=True)
        (tmp_path / name / "a.csv").write_text("1")
        (tmp_path / name / "below" / "b.csv").write_text("2")
    one, other = tmp_path / "one", tmp_path / "other"
    assert digest(one) == digest(other)
    (other / "below" / "b.csv").rename(other / "below" / "c.csv")
    assert digest(one) != digest(other)
    (other / "below" / "c.csv").rename(other / "below" / "b.csv")
    (other / "a.csv").write_text("3")
    assert digest(one) != digest(other)


def test_a_run_is_named_by_when_it_began() -> None:
    assert run_name("speed-scale", 1_796_020_146.1239) == "speed-scale-20261130T062906.123Z"
