"""What the settings say of the store and of the pseudonyms' key, made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stream.broker.connect import models_folder, open_settings_store, pseudonym_key
from upwell.errors import SettingsError
from upwell.settings import Settings, load_settings
from upwell.values import UserState

DIMENSION = 4


@pytest.mark.parametrize("kind", ["edge", "memory"])
def test_the_store_keeps_what_it_is_given_until_it_is_closed(kind: str, tmp_path: Path) -> None:
    settings = load_settings({"UPWELL_STORE": kind, "UPWELL_DATA": str(tmp_path)})
    ann = UserState("ann", np.ones(DIMENSION, np.float32))
    store = open_settings_store(settings, DIMENSION)
    store.write_users([ann])
    store.close()
    store = open_settings_store(settings, DIMENSION)
    try:
        (found,) = store.read_users(["ann"])
    finally:
        store.close()
    assert (found is not None) == (kind == "edge")


def test_a_file_of_authorities_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    server = {"UPWELL_STORE": "server", "UPWELL_QDRANT_URL": "https://localhost:1"}
    settings = load_settings({**server, "UPWELL_QDRANT_CAFILE": str(tmp_path / "ca.pem")})
    with pytest.raises(SettingsError, match=r"UPWELL_QDRANT_CAFILE is .*ca\.pem: it cannot"):
        open_settings_store(settings, DIMENSION)


def test_the_key_is_the_given_one_else_the_one_that_is_kept(tmp_path: Path) -> None:
    made = pseudonym_key(load_settings({"UPWELL_DATA": str(tmp_path)}))
    assert pseudonym_key(load_settings({"UPWELL_DATA": str(tmp_path)})) == made
    assert pseudonym_key(load_settings({"UPWELL_DATA": str(tmp_path / "another")})) != made
    given = load_settings({"UPWELL_DATA": str(tmp_path), "UPWELL_KEY": "ab" * 32})
    assert pseudonym_key(given) == b"\xab" * 32


def test_checkpoints_are_in_the_data_folder_unless_they_are_kept_elsewhere(tmp_path: Path) -> None:
    assert models_folder(Settings(data=tmp_path)).address == str(tmp_path / "models")
    for address in (str(tmp_path / "shared"), "memory://bucket/models"):
        assert models_folder(Settings(data=tmp_path, models=address)).address == address
    shared = models_folder(Settings(data=tmp_path, models=f"file://{tmp_path}/shared"))
    shared.write("a", b"a")
    assert (tmp_path / "shared" / "a").read_bytes() == b"a"
