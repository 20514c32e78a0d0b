"""A converted model is kept whole or not at all, and made anew where it is not what was written."""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from encoders.engines import converted as module
from encoders.engines.converted import MOST_KEPT, convert_apart, converted

Said = Callable[[], list[str]]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The models that were converted, one after the other."""
    names: list[str] = []
    make = module._made

    def counted(folder: Path, name: str) -> object:
        names.append(name)
        return make(folder, name)

    monkeypatch.setattr(module, "_made", counted)
    return names


def test_the_second_start_converts_nothing(tiny: Path, tmp_path: Path, made: list[str]) -> None:
    first, second = (converted(tiny, "tiny", tmp_path / "kept") for _ in range(2))
    assert made == ["tiny"]
    assert (first.tokenizer, first.pad) == (second.tokenizer, second.pad)
    np.testing.assert_array_equal(first.probes, second.probes)
    assert [one.is_dir() for one in (tmp_path / "kept").iterdir()] == [True]


@pytest.mark.parametrize("name", ["model.xml", "model.bin", "about.json"])
def test_a_damaged_one_is_made_anew_and_said(
    tiny: Path, tmp_path: Path, made: list[str], said: Said, name: str
) -> None:
    converted(tiny, "tiny", tmp_path / "kept")
    [place] = (tmp_path / "kept").iterdir()
    whole = (place / name).read_bytes()
    (place / name).write_bytes(whole[: len(whole) // 2])
    converted(tiny, "tiny", tmp_path / "kept")
    [line] = said()
    assert f"the model converted in {place} is damaged" in line
    converted(tiny, "tiny", tmp_path / "kept")
    assert made == ["tiny", "tiny"]


def test_another_version_of_what_makes_it_makes_another(
    tiny: Path, tmp_path: Path, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    converted(tiny, "tiny", tmp_path / "kept")
    version = importlib.metadata.version
    monkeypatch.setattr(
        importlib.metadata, "version", lambda one: "0" if one == "openvino" else version(one)
    )
    converted(tiny, "tiny", tmp_path / "kept")
    assert made == ["tiny", "tiny"]


def test_another_tokenizer_makes_another(tiny: Path, tmp_path: Path, made: list[str]) -> None:
    converted(tiny, "tiny", tmp_path / "kept")
    (tiny / "vocab.txt").write_text((tiny / "vocab.txt").read_text() + "word\n")
    converted(tiny, "tiny", tmp_path / "kept")
    assert made == ["tiny", "tiny"]


def test_the_longest_unused_leave(tiny: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    for number in range(MOST_KEPT):
        (kept / str(number)).mkdir(parents=True)
        (kept / str(number) / "about.json").touch()
        os.utime(kept / str(number), (number, number))
    converted(tiny, "tiny", kept)
    assert len(list(kept.iterdir())) == MOST_KEPT
    assert not (kept / "0").exists()


def test_where_nothing_can_be_written_it_is_said_and_used(
    tiny: Path, tmp_path: Path, said: Said
) -> None:
    (tmp_path / "kept").write_text("a file")
    assert converted(tiny, "tiny", tmp_path / "kept").probes.shape == (5, 32)
    [line] = said()
    assert "every start converts it again; set UPWELL_CACHE" in line


def test_one_of_8_bits_is_kept_beside_and_is_smaller(
    tiny: Path, tmp_path: Path, made: list[str]
) -> None:
    for _ in range(2):
        for int8 in (False, True):
            converted(tiny, "tiny", tmp_path / "kept", int8)
    assert made == ["tiny", "tiny"]
    small, large = sorted(
        (one / "model.bin").stat().st_size for one in (tmp_path / "kept").iterdir()
    )
    assert small < 0.3 * large


def test_a_process_of_its_own_makes_the_one_of_8_bits(
    tiny: Path, tmp_path: Path, made: list[str]
) -> None:
    convert_apart(tiny, "tiny", tmp_path / "kept", True)
    converted(tiny, "tiny", tmp_path / "kept", True)
    assert made == []
