"""A classifier's file is read as it was written, or refused by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.chain.policy.classifier import Model
from stream.chain.policy.grams import BUCKETS
from stream.chain.policy.model_file import _checksum, read_model, write_model
from tests.stream.chain.policy.harm import model
from upwell.errors import ModelError

FRACTIONS = st.floats(0, 1, exclude_min=True)
MODELS = st.builds(
    lambda seed, name, bias, threshold, n: Model(
        name,
        np.random.default_rng(seed).normal(size=BUCKETS).astype(np.float32),
        bias,
        threshold,
        seed,
        {"harmful": n, "harmless": n},
        threshold,
        {"recall": threshold},
    ),
    st.integers(0, 2**32),
    st.text(min_size=1),
    st.floats(-50, 50),
    FRACTIONS,
    st.integers(0, 10**6),
)


@given(MODELS)
def test_it_comes_back_to_the_bit(tmp_path_factory: pytest.TempPathFactory, own: Model) -> None:
    path = tmp_path_factory.mktemp("model") / "harm.json"
    write_model(path, own)
    found = read_model(path)
    assert found.weights.tobytes() == own.weights.tobytes()
    bare = np.zeros(0, np.float32)
    for one in ("name", "bias", "threshold", "seed", "examples", "false_hits", "held_out"):
        assert getattr(found, one) == getattr(own, one), one
    assert replace(found, weights=bare).name == own.name
    written = path.read_bytes()
    write_model(path, found)
    assert path.read_bytes() == written


def changed(path: Path, **fields: Any) -> None:
    path.write_bytes(orjson.dumps(orjson.loads(path.read_bytes()) | fields))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"threshold": 0.1}, "was changed after it was learned"),
        ({"held_out": {}}, "was changed after it was learned"),
        ({"sha256": "0"}, "was changed after it was learned"),
        ({"more": 1}, "was changed after it was learned"),
        ({"version": 2}, "is of version 2, this Upwell reads 1"),
        ({"kind": "x"}, "is no classifier"),
    ],
)
def test_what_was_changed_is_refused(tmp_path: Path, fields: dict[str, Any], said: str) -> None:
    path = tmp_path / "harm.json"
    write_model(path, model())
    changed(path, **fields)
    with pytest.raises(ModelError, match=r"harm\.json") as refused:
        read_model(path)
    assert said in str(refused.value)


@pytest.mark.parametrize("fields", [{"weights": "AAAA"}, {"weights": "?"}, {"weights": 3}])
def test_a_file_that_is_whole_and_senseless_is_refused(
    tmp_path: Path, fields: dict[str, Any]
) -> None:
    path = tmp_path / "harm.json"
    write_model(path, model())
    told = orjson.loads(path.read_bytes()) | fields
    del told["sha256"]
    changed(path, **fields, sha256=_checksum(told))
    with pytest.raises(ModelError, match="is no whole classifier"):
        read_model(path)


def test_one_byte_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "harm.json"
    write_model(path, model())
    raw = bytearray(path.read_bytes())
    place = len(raw) // 2
    raw[place] = ord("B") if raw[place] != ord("B") else ord("C")
    path.write_bytes(raw)
    with pytest.raises(ModelError):
        read_model(path)


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"\xff", b"null"])
def test_what_is_none_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "harm.json"
    path.write_bytes(data)
    with pytest.raises(ModelError, match=r"harm\.json"):
        read_model(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none\.json cannot be read"):
        read_model(tmp_path / "none.json")
