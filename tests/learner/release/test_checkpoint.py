"""Checkpoints: round trips, and that a torn, missing or foreign file is said, not skipped."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays, scalar_dtypes
from numpy.typing import NDArray

from learner.release.checkpoint import (
    every,
    holds,
    latest,
    load,
    meta,
    prune,
    replaced,
    save_checkpoint,
    sweep,
)
from learner.release.folder import LocalFolder
from upwell.errors import ModelError

ARRAYS: dict[str, NDArray[Any]] = {
    "weights": np.arange(6, dtype=np.float32).reshape(2, 3),
    "none": np.zeros((0, 4), np.int64),
    "flags": np.array([True, False]),
}
META = {"items": ["a", "é"], "watermark": {"reviews-0": 12}}


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    saved = save_checkpoint(LocalFolder(tmp_path / "models"), ARRAYS, META)
    found, told = load(LocalFolder(tmp_path / "models"), saved.name, saved.sha256)
    assert told == META
    assert found.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype


def test_what_stands_beside_the_arrays_is_read_alone(tmp_path: Path) -> None:
    folder = LocalFolder(tmp_path / "models")
    saved = save_checkpoint(folder, ARRAYS, META)
    assert meta(folder, saved.name) == META
    [weights] = (tmp_path / "models").glob("*.safetensors")
    for torn in (b"", b"torn", b"\xff" * 40):
        weights.write_bytes(torn)
        with pytest.raises(ModelError, match=f"{weights.name} cannot be read.*remove {saved.name}"):
            meta(folder, saved.name)
    weights.unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        meta(folder, saved.name)


_KINDS = scalar_dtypes().filter(
    lambda dtype: dtype.kind in "biuf" and dtype.itemsize <= 8 and dtype.isnative
)


@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(
        st.text("abc.", min_size=1, max_size=5),
        arrays(_KINDS, array_shapes(min_dims=0, min_side=0)),
        max_size=4,
    )
)
def test_any_arrays_come_back_to_the_bit(
    tmp_path_factory: pytest.TempPathFactory, given_arrays: dict[str, Any]
) -> None:
    folder = LocalFolder(tmp_path_factory.mktemp("models"))
    found, _ = load(folder, save_checkpoint(folder, given_arrays, {}).name)
    assert all(one.flags.writeable for one in found.values())
    assert {name: (one.tobytes(), one.shape, one.dtype) for name, one in found.items()} == {
        name: (one.tobytes(), one.shape, one.dtype) for name, one in given_arrays.items()
    }


def test_the_newest_is_the_latest_and_old_ones_go(tmp_path: Path) -> None:
    assert latest(LocalFolder(tmp_path)) is None
    saved = [save_checkpoint(LocalFolder(tmp_path), ARRAYS, {"n": n}) for n in range(4)]
    assert latest(LocalFolder(tmp_path)) == saved[-1]
    assert every(LocalFolder(tmp_path)) == saved[::-1]
    assert prune(LocalFolder(tmp_path), keep=2) == 2
    assert prune(LocalFolder(tmp_path), keep=2) == 0
    assert sorted(path.stem for path in tmp_path.glob("*.safetensors")) == [
        Path(one.name).stem for one in saved[-2:]
    ]
    assert every(LocalFolder(tmp_path)) == [saved[-1], saved[-2]]
    assert save_checkpoint(LocalFolder(tmp_path), ARRAYS, {}).number == saved[-1].number + 1


def test_pruning_keeps_one(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one"):
        prune(LocalFolder(tmp_path), keep=0)


class PrunedMeanwhile(LocalFolder):
    """The oldest checkpoint goes between a listing and the first file read."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._plain = LocalFolder(path)

    def read(self, name: str) -> bytes:
        prune(self._plain, keep=1)
        return super().read(name)


def test_what_goes_while_all_are_listed_is_none_of_them(tmp_path: Path) -> None:
    folder = LocalFolder(tmp_path)
    old, new = (save_checkpoint(folder, ARRAYS, {**META, "n": n}) for n in range(2))
    assert not replaced(folder, old.name)
    assert not holds(PrunedMeanwhile(tmp_path), old.name, old.sha256)
    assert replaced(folder, old.name)
    assert not replaced(folder, new.name)
    last = save_checkpoint(folder, ARRAYS, META)
    assert every(PrunedMeanwhile(tmp_path)) == [last]


@pytest.mark.parametrize("kind", [".json", ".safetensors"])
def test_what_lost_one_file_is_replaced_where_a_newer_one_is_there(
    kind: str, tmp_path: Path
) -> None:
    folder = LocalFolder(tmp_path)
    old, new = (save_checkpoint(folder, ARRAYS, META) for _ in range(2))
    (tmp_path / old.name).with_suffix(kind).unlink()
    assert replaced(folder, old.name)
    (tmp_path / new.name).with_suffix(kind).unlink()
    assert not replaced(folder, new.name)


def test_every_torn_byte_is_noticed(tmp_path: Path) -> None:
    saved = save_checkpoint(LocalFolder(tmp_path), ARRAYS, META)
    weights = (tmp_path / saved.name).with_suffix(".safetensors")
    whole = weights.read_bytes()
    for torn in (whole[:-1], whole[: len(whole) // 2], b"", whole[:-1] + bytes([whole[-1] ^ 1])):
        weights.write_bytes(torn)
        with pytest.raises(ModelError, match=rf"{weights.name} is torn.*remove {saved.name}"):
            load(LocalFolder(tmp_path), saved.name)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "\xff",
        '{"format": "upwell-checkpoint-1"}',
        '{"format": "upwell-checkpoint-1", "sha256": 3}',
    ],
)
def test_a_torn_newest_is_said_and_the_one_before_can_be_loaded(tmp_path: Path, text: str) -> None:
    good, torn = (save_checkpoint(LocalFolder(tmp_path), ARRAYS, META) for _ in range(2))
    (tmp_path / torn.name).write_bytes(text.encode("latin-1"))
    with pytest.raises(ModelError, match=torn.name):
        latest(LocalFolder(tmp_path))
    with pytest.raises(ModelError, match=torn.name):
        load(LocalFolder(tmp_path), torn.name)
    with pytest.raises(ModelError, match=torn.name):
        every(LocalFolder(tmp_path))
    assert load(LocalFolder(tmp_path), good.name)[1] == META


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    saved = save_checkpoint(LocalFolder(tmp_path), ARRAYS, META)
    (tmp_path / saved.name).with_suffix(".safetensors").unlink()
    with pytest.raises(ModelError, match="safetensors cannot be read"):
        load(LocalFolder(tmp_path), saved.name)
    with pytest.raises(ModelError, match="cannot be read"):
        load(LocalFolder(tmp_path), "0000000000000009.json")


def test_a_foreign_file_is_said(tmp_path: Path) -> None:
    saved = save_checkpoint(LocalFolder(tmp_path), ARRAYS, META)
    head = json.loads((tmp_path / saved.name).read_text())
    (tmp_path / saved.name).write_text(json.dumps(head | {"format": "another"}))
    with pytest.raises(ModelError, match="another version of Upwell"):
        load(LocalFolder(tmp_path), saved.name)


def test_another_checkpoint_than_the_announced_one_is_refused(tmp_path: Path) -> None:
    saved = save_checkpoint(LocalFolder(tmp_path), ARRAYS, META)
    with pytest.raises(ModelError, match="not the one announced"):
        load(LocalFolder(tmp_path), saved.name, "0" * 64)


@pytest.mark.parametrize("call", ["fsync", "rename"])
def test_a_full_disk_leaves_the_ones_before_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    good = save_checkpoint(LocalFolder(tmp_path), ARRAYS, META)
    before = sorted(os.listdir(tmp_path))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os if call == "fsync" else Path, call, full)
        with pytest.raises(ModelError, match="No space left on device; free space"):
            save_checkpoint(LocalFolder(tmp_path), ARRAYS, {"n": 2})
    assert sorted(os.listdir(tmp_path)) == before
    assert latest(LocalFolder(tmp_path)) == good


def test_a_crash_between_the_two_files_leaves_the_one_before(tmp_path: Path) -> None:
    good = save_checkpoint(LocalFolder(tmp_path), ARRAYS, META)
    (tmp_path / "0000000000000002.safetensors").write_bytes(b"whole, but not announced")
    (tmp_path / "0000000000000002.json.tmp").write_bytes(b"{")
    assert latest(LocalFolder(tmp_path)) == good
    assert load(
        LocalFolder(tmp_path), save_checkpoint(LocalFolder(tmp_path), ARRAYS, {"n": 2}).name
    )[1] == {"n": 2}


class Died(BaseException):
    """Stands in for SIGKILL: nothing catches it."""


def files(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


@pytest.mark.parametrize("unlinked", range(4))
def test_a_kill_between_any_two_removals_leaves_nothing_that_the_next_prune_does_not_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unlinked: int
) -> None:
    saved = [save_checkpoint(LocalFolder(tmp_path), ARRAYS, {"n": n}) for n in range(3)]
    unlink = Path.unlink
    left = unlinked

    def die_after(path: Path, missing_ok: bool = False) -> None:
        nonlocal left
        if left == 0:
            raise Died
        left -= 1
        unlink(path, missing_ok=missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", die_after)
        with pytest.raises(Died):
            prune(LocalFolder(tmp_path), keep=1)
    heads = {path.stem for path in tmp_path.glob("*.json")}
    assert {path.stem for path in tmp_path.glob("*.safetensors")} <= heads
    assert latest(LocalFolder(tmp_path)) == saved[-1]
    assert prune(LocalFolder(tmp_path), keep=1) == len(heads) - 1
    assert files(tmp_path) == [
        f"{Path(saved[-1].name).stem}.{kind}" for kind in ("json", "safetensors")
    ]


def test_a_sweep_takes_what_crashes_left_and_nothing_else(tmp_path: Path) -> None:
    assert sweep(LocalFolder(tmp_path / "none yet")) == 0
    saved = [save_checkpoint(LocalFolder(tmp_path), ARRAYS, {"n": n}) for n in range(3)]
    for name in ("owner.lock", "rollback-1f.ask.7.tmp"):  # of who asks something just now
        (tmp_path / name).touch()
    whole = files(tmp_path)
    assert sweep(LocalFolder(tmp_path)) == 0
    assert files(tmp_path) == whole
    for name in ("0000000000000004.safetensors", "0000000000000004.json.tmp", "7.safetensors.tmp"):
        (tmp_path / name).write_bytes(b"of somebody")
    (tmp_path / saved[0].name).unlink()  # by an Upwell that removed the JSON file first
    (tmp_path / saved[1].name).with_suffix(".safetensors").unlink()
    assert sweep(LocalFolder(tmp_path)) == 3
    assert files(tmp_path) == [
        name for name in whole if name.startswith((Path(saved[2].name).stem, "o", "r"))
    ]


def test_a_newest_without_arrays_is_a_fault_that_no_sweep_hides(tmp_path: Path) -> None:
    saved = save_checkpoint(LocalFolder(tmp_path), ARRAYS, META)
    (tmp_path / saved.name).with_suffix(".safetensors").unlink()
    assert sweep(LocalFolder(tmp_path)) == 0
    with pytest.raises(ModelError, match="cannot be read"):
        load(LocalFolder(tmp_path), saved.name)


def test_a_removal_is_on_the_disk_before_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(2):
        save_checkpoint(LocalFolder(tmp_path), ARRAYS, {"n": n})

    def broken(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(ModelError, match="cannot be removed: Input/output error"):
        prune(LocalFolder(tmp_path), keep=1)
