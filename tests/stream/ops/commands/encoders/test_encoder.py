"""`upwell encoder` as it is typed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from stream.ops.commands.manual import MANUAL
from tests.stream.ops.encoder.tried import adapted, announce, clicks, entries, liked, settings_on
from tests.stream.ops.test_cli import upwell


def said(done: subprocess.CompletedProcess[str], path: str) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    [line] = done.stdout.splitlines()
    found: dict[str, Any] = json.loads(line)
    assert list(found) == list(MANUAL[path].fields)
    return found


def environ(kafka: str, prefix: str) -> dict[str, Any]:
    return {
        "UPWELL_KAFKA": kafka,
        "UPWELL_PREFIX": prefix,
        "UPWELL_PARTITIONS": "1",
        "UPWELL_ENCODER": "tiny",
        "UPWELL_DEVICE": "cpu",
        "UPWELL_ENCODER_ENGINE": "torch",
    }


def test_tried_promoted_shown_and_taken_back(kafka: str, prefix: str, tmp_path: Path) -> None:
    on = settings_on(kafka, prefix, tmp_path)
    announce(on, entries(on))
    liked(on, [(1, 2), (3, 4)])
    adapted(tmp_path / "tiny", tmp_path / "new")
    own = environ(kafka, prefix)
    tried = upwell(tmp_path, "encoder", "try", "new", "--json", **own)
    found = said(tried, "encoder try")
    assert (found["opinion"], found["targets"], found["promoted"]) == ("open", 2, False)
    assert "2 targets" in tried.stderr
    promoted = said(
        upwell(tmp_path, "encoder", "promote", "new", "--json", **own), "encoder promote"
    )
    assert promoted["encoder"]["model"] == str(tmp_path / "new")
    shown = upwell(tmp_path, "encoder", "show", "--json", **own)
    stands = said(shown, "encoder show")
    assert stands["in_force"] == promoted["encoder"]
    assert [one["word"] for one in stands["said"]] == ["tried", "promoted"]
    assert "promoted by operator" in shown.stderr
    back = said(upwell(tmp_path, "encoder", "rollback", "--json", **own), "encoder rollback")
    assert (back["encoder"], back["before"]) == (promoted["before"], promoted["encoder"])
    none = upwell(tmp_path, "encoder", "rollback", "--json", **own)
    assert (none.returncode, none.stdout) == (2, "")


@pytest.mark.slow
def test_what_a_round_did_is_one_line_and_a_prefix_makes_none(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    on = settings_on(kafka, prefix, tmp_path)
    announce(on, entries(on))
    own = environ(kafka, prefix)
    nothing = upwell(tmp_path, "encoder", "learn", "models", **own)
    assert (nothing.returncode, nothing.stdout) == (6, "")
    assert "nothing to learn" in nothing.stderr
    clicks(on)
    few = ("--method", "top:1", "--steps", "2", "--rate", "1e-9")
    done = upwell(tmp_path, "encoder", "learn", "models", "--json", *few, **own)
    found = said(done, "encoder learn")
    assert (found["tried"], found["promoted"]) == (None, False)
    assert found["adapted"]["pairs"]["likes"] > 0
    prefixed = upwell(tmp_path, "encoder", "learn", "models", "--method", "prefix", **own)
    assert (prefixed.returncode, prefixed.stdout) == (2, "")
    assert "no model that could come into force" in prefixed.stderr
