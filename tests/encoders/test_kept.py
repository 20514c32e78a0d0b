"""Kept vectors come back as they were or not at all, in the bounds that are set, to their owner
alone.
"""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encoders.kept import OFF, KeptVectors, kept_folder
from encoders.kept_file import SUFFIX
from tests.encoders.fakes import (
    DIMENSION,
    ENOUGH_BYTES,
    KEPT_MODEL,
    Said,
    holds,
    key_of,
    opened,
    some,
)


def test_the_folder_is_the_users_cache_unless_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPWELL_CACHE", "/somewhere")
    monkeypatch.setenv("HOME", "/home/ann")
    assert kept_folder(None) == Path("/somewhere/vectors")
    assert kept_folder("~/mine") == Path("/home/ann/mine")
    assert kept_folder(OFF) is None


def test_a_user_without_a_home_keeps_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("UPWELL_CACHE", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    assert kept_folder(None) is None
    assert "UPWELL_VECTORS" in caplog.text


@given(st.lists(st.integers(0, 2000), max_size=600, unique=True), st.integers(0, 600))
def test_what_is_written_comes_back_to_the_bit_in_the_next_process(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[int], cut: int
) -> None:
    folder = tmp_path_factory.mktemp("kept")
    with closing(opened(folder)) as kept:
        kept.write(some(*numbers[:cut]))
        kept.write(some(*numbers[cut:]))
    with closing(opened(folder)) as kept:
        assert holds(kept, *numbers)
        assert len(kept) == len(numbers)
        assert kept.read([key_of(3000)]) == {}


def test_another_model_finds_nothing(tmp_path: Path, said: Said) -> None:
    with closing(opened(tmp_path)) as one, closing(opened(tmp_path, "model@abc/mean/int8")) as two:
        one.write(some(1))
        assert not two.read([key_of(1)])
    with closing(KeptVectors(tmp_path, KEPT_MODEL, DIMENSION + 1, ENOUGH_BYTES)) as longer:
        assert not longer.read([key_of(1)])


def test_folder_and_file_are_their_owners_alone(tmp_path: Path) -> None:
    with closing(opened(tmp_path / "a" / "kept")) as kept:
        kept.write(some(1))
        files = list(kept.path.parent.glob(f"*{SUFFIX}*"))
        assert {file.name.removeprefix(kept.path.name) for file in files} == {"", "-wal", "-shm"}
        assert {file.stat().st_mode & 0o077 for file in files} == {0}
    assert kept.path.parent.stat().st_mode & 0o077 == 0


def test_the_oldest_leave(tmp_path: Path) -> None:
    with closing(opened(tmp_path, most_bytes=10 * (DIMENSION * 4 + 100))) as kept:
        for number in range(25):
            kept.write(some(number))
        assert len(kept) == 10
        assert holds(kept, *range(15, 25))
        kept.write(some(*range(100, 130)))
        assert holds(kept, *range(120, 130))
        assert len(kept) == 10


def test_other_models_leave_first_the_longest_unused_before(tmp_path: Path) -> None:
    paths = []
    for age, model in enumerate(("oldest", "older", "own")):
        with closing(opened(tmp_path, model)) as kept:
            kept.write(some(*range(200)))
        paths.append(kept.path)
        os.utime(kept.path, (1_000_000 + age, 1_000_000 + age))
    together = sum(path.stat().st_size for path in paths)
    with closing(opened(tmp_path, "own", together - 1)) as kept:
        assert [path.exists() for path in paths] == [False, True, True]
        assert holds(kept, *range(200))


def test_what_is_no_unit_kept_vector_this_length_is_not_kept(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as kept:
        kept.write(
            {
                key_of(1): np.full(DIMENSION, np.nan, np.float32),
                key_of(2): np.zeros(DIMENSION, np.float32),
                key_of(3): np.eye(DIMENSION + 1, dtype=np.float32)[0],
                key_of(4): np.full(DIMENSION, np.inf, np.float32),
                **some(5),
            }
        )
        assert len(kept) == 1
        assert holds(kept, 5)
