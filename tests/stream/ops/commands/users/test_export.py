"""`upwell export` as a person and as a script meet it."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.stream.ops.access.held import fill, settings_of
from tests.stream.ops.commands.test_json import said
from tests.stream.ops.test_cli import upwell


@pytest.fixture
def own(kafka: str, prefix: str, tmp_path: Path) -> dict[str, Any]:
    fill(settings_of(kafka, prefix, tmp_path / "data"))
    return {"UPWELL_KAFKA": kafka, "UPWELL_PREFIX": prefix, "UPWELL_PARTITIONS": "2"}


def test_a_document_for_scripts_and_a_file_for_its_owner_alone(
    own: dict[str, Any], tmp_path: Path
) -> None:
    words = ("export", "--user", "ann", "--events", "--out", "ann.json", "--json")
    done = upwell(tmp_path, *words, **own)
    assert done.returncode == 0, done.stderr
    found = said(done, "export")
    assert found["held"] is True
    assert "What is held of ann" in done.stderr
    file = tmp_path / "ann.json"
    assert json.loads(file.read_text()) == found
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = upwell(tmp_path, *words, **own)
    assert (again.returncode, again.stdout) == (2, "")
    assert "name a new file" in again.stderr
    nobody = upwell(tmp_path, "export", "--user", "nobody", **own)
    assert nobody.returncode == 0
    assert "nothing is held of nobody; looked at:" in nobody.stdout
