"""The encoder of the settings, whole: named for people, silent, one line where it does not load."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from encoders import load_encoder, model_dimension
from encoders.folder import DEFAULT_MODEL, find_model
from tests.encoders.tiny import message


def test_a_folder_with_a_slash_at_its_end_keeps_its_name(tiny: Path) -> None:
    assert load_encoder(f"{tiny}/", device="cpu").revision.startswith("tiny@")


@pytest.mark.parametrize("name", ["no/such/folder", "bert-base-uncased", "/etc/hostname"])
def test_a_wrong_name_or_path_is_one_line(name: str) -> None:
    for ask in (find_model, load_encoder, model_dimension):
        said = message(lambda ask=ask: ask(name))  # type: ignore[misc]
        assert name in said
        assert "UPWELL_ENCODER" in said


def test_nothing_is_printed() -> None:
    program = (
        f"from encoders import load_encoder; load_encoder({DEFAULT_MODEL!r}, "
        "device='cpu').encode(['hello'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_folder_of_ones_own_may_be_called_like_the_default(tiny: Path) -> None:
    folder = tiny.rename(tiny.parent / DEFAULT_MODEL)
    with closing(load_encoder(str(folder), device="cpu")) as encoder:
        assert encoder.dimension == 32
        assert encoder.revision.startswith(f"{tiny.parent.name}/{DEFAULT_MODEL}@")


def test_a_catalogue_is_kept_where_it_is_told_and_read_with_the_same_tokenizer(
    tiny: Path, tmp_path: Path
) -> None:
    def sources() -> dict[str, int]:
        with closing(load_encoder(str(tiny), device="cpu", vectors=tmp_path / "kept")) as encoder:
            bulk = encoder.in_bulk()
            bulk.encode(["a title", "another"])
            return bulk.sources

    assert sources() == {"encoded": 2, "from_memory": 0, "from_disk": 0}
    assert sources() == {"encoded": 0, "from_memory": 0, "from_disk": 2}
    (tiny / "vocab.txt").write_text((tiny / "vocab.txt").read_text() + "word\n")
    assert sources() == {"encoded": 2, "from_memory": 0, "from_disk": 0}
