"""Where checkpoints are kept: the same for a folder of this machine and for an object store."""

from __future__ import annotations

import errno
import os
import uuid
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest

from learner.release.checkpoint import every, latest, load, prune, save_checkpoint, sweep
from learner.release.folder import LocalFolder, ModelsFolder, ObjectFolder, open_folder
from upwell.errors import ModelError, SettingsError

ARRAYS = {"weights": np.arange(6, dtype=np.float32)}


@pytest.fixture(params=["plain path", "file://", "memory://", "dir:// with folders"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> ModelsFolder:
    """Empty; none was made yet."""
    kind, models = request.param, tmp_path / "a place" / "models"
    if kind == "memory://":
        return open_folder(f"memory://{uuid.uuid4().hex}/models/")
    if kind.startswith("dir"):  # fsspec's own view of this machine's files: as sftp or hdfs
        made = open_folder(f"local://{models}")
        assert isinstance(made, ObjectFolder)
        return made
    return open_folder(str(models) if kind == "plain path" else f"file://{models}")


def test_a_file_is_there_as_it_was_written_until_it_is_removed(folder: ModelsFolder) -> None:
    assert folder.names() == []
    folder.remove(["none"])
    for data in (b"", b"one", b"another"):
        folder.write("a", data)
        assert folder.read("a") == data
    folder.write("b", b"b")
    assert sorted(folder.names()) == ["a", "b"]
    folder.remove(["a", "none", "b"])
    assert folder.names() == []
    with pytest.raises(FileNotFoundError):
        folder.read("a")


def test_checkpoints_are_kept_found_and_pruned(folder: ModelsFolder) -> None:
    assert latest(folder) is None
    saved = [save_checkpoint(folder, ARRAYS, {"n": n}) for n in range(4)]
    assert every(folder) == saved[::-1]
    assert prune(folder, keep=2) == 2
    arrays, meta = load(folder, saved[-1].name, saved[-1].sha256)
    np.testing.assert_array_equal(arrays["weights"], ARRAYS["weights"])
    assert meta == {"n": 3}
    folder.remove([saved[-2].name])
    assert sweep(folder) == 1
    assert len(folder.names()) == 2


def test_another_process_sees_what_this_one_wrote_and_no_listing_of_before(
    folder: ModelsFolder,
) -> None:
    other = open_folder(folder.address if "://" in folder.address else str(folder.address))
    assert latest(other) is None
    saved = save_checkpoint(folder, ARRAYS, {})
    assert latest(other) == saved


def test_a_checkpoint_that_is_not_confirmed_does_not_count_and_overwrites_nothing(
    folder: ModelsFolder,
) -> None:
    good = save_checkpoint(folder, ARRAYS, {"of": "the first"})

    def overtaken() -> None:
        other = save_checkpoint(folder, ARRAYS, {"of": "the second"})
        assert other.number == good.number + 1
        raise LookupError("the lock is lost")

    with pytest.raises(LookupError):
        save_checkpoint(folder, ARRAYS, {"of": "the late first"}, overtaken)
    newest = latest(folder)
    assert newest is not None
    assert load(folder, newest.name)[1] == {"of": "the second"}
    assert sweep(folder) == 1  # what the late one had written


def test_checkpoints_of_older_versions_are_found(folder: ModelsFolder) -> None:
    saved = save_checkpoint(folder, ARRAYS, {"n": 1})
    for kind in (".safetensors", ".json"):
        old = saved.name.removesuffix(".json") + kind
        folder.write(f"{saved.number:016d}{kind}", folder.read(old))
        folder.remove([old])
    assert load(folder, "0000000000000001.json", saved.sha256)[1] == {"n": 1}
    newer = save_checkpoint(folder, ARRAYS, {"n": 2})
    assert [one.number for one in every(folder)] == [2, 1]
    assert prune(folder, keep=1) == 1
    assert latest(folder) == newer


def test_only_the_newest_versions_name_counts_and_nothing_else_of_the_folder(
    folder: ModelsFolder,
) -> None:
    for name in ("owner.lock", "notes.json", "1-x.json", "a-0123456789ab.safetensors"):
        folder.write(name, b"of somebody")
    assert latest(folder) is None
    assert sweep(folder) == 0
    assert len(folder.names()) == 4


def test_what_a_store_raises_is_a_model_error_that_names_the_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = open_folder("memory://bucket/models")

    class NoCredentialsError(Exception):
        """As botocore raises it: no OSError."""

    def refuse(*_: Any, **__: Any) -> None:
        raise NoCredentialsError("unable to locate credentials")

    for name in ("ls", "pipe_file"):
        monkeypatch.setattr(fsspec.get_filesystem_class("memory"), name, refuse)
    with pytest.raises(ModelError, match=r"memory://bucket/models .*NoCredentialsError: unable"):
        latest(folder)
    with pytest.raises(OSError, match="NoCredentialsError"):
        folder.write("a", b"")


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("s3://bucket/models", r"s3:// is not installed: pip install 'upwell\[s3\]'"),
        ("gs://bucket/models", r"gs:// is not installed: pip install 'upwell\[gcs\]'"),
        ("nonsense://models", r"UPWELL_MODELS is nonsense://models: .*another address that fsspec"),
    ],
)
def test_what_is_missing_is_said(address: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(protocol: str) -> Any:
        raise ImportError(f"Install something to access {protocol}")

    if not address.startswith("nonsense"):
        monkeypatch.setattr("fsspec.core.get_filesystem_class", absent)
    with pytest.raises(SettingsError, match=said):
        open_folder(address)


def test_a_local_file_is_brought_to_the_disk_with_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[bool] = []
    fsync = os.fsync

    def watched(handle: int) -> None:
        synced.append(os.path.isdir(f"/proc/self/fd/{handle}"))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", watched)
    LocalFolder(tmp_path).write("a", b"a")
    assert synced == [False, True]


def test_a_full_disk_leaves_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = LocalFolder(tmp_path)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        folder.write("a", b"a")
    assert folder.names() == []
