"""`upwell pictures fit` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stream.ops.commands.manual import MANUAL
from tests.encoders.pictures.drawn import tiny_vit
from tests.encoders.tiny import tiny_model
from tests.stream.ops.test_cli import upwell
from tests.stream.replay.test_picture_map import write_log


@pytest.mark.slow
def test_a_log_makes_a_map_and_says_how_well_words_find(tmp_path: Path) -> None:
    write_log(tmp_path, 61)
    tiny_model(tmp_path / "tiny")
    tiny_vit(tmp_path / "vit")
    own: dict[str, Any] = {
        "UPWELL_ENCODER": "tiny",
        "UPWELL_DEVICE": "cpu",
        "UPWELL_VECTORS": "off",
        "UPWELL_IMAGE_ENCODER": "vit",
    }
    words = ("pictures", "fit", "log.jsonl", "--out", "map")
    done = upwell(tmp_path, *words, "--json", **own)
    assert done.returncode == 0, done.stderr
    [line] = done.stdout.splitlines()
    found = json.loads(line)
    assert list(found) == list(MANUAL["pictures fit"].fields)
    assert (found["pairs"], found["file"]) == (60, "map")
    assert "words find" in done.stderr
    assert (tmp_path / "map").is_file()
    without = upwell(tmp_path, *words, **{**own, "UPWELL_IMAGE_ENCODER": ""})
    assert (without.returncode, without.stdout) == (5, "")
    assert "UPWELL_IMAGE_ENCODER" in without.stderr
