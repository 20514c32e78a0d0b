"""What the doctor says of vectors on disk; its other lines are run whole in
tests/stream/ops/test_cli.py, of brokers in test_doctor.py.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

from encoders.kept import KeptVectors
from stream.ops.doctor import _vectors
from tests.encoders.fakes import DIMENSION, ENOUGH_BYTES, some
from upwell.settings import EncoderSettings, Settings


def told(vectors: str) -> str:
    return _vectors(replace(Settings(), encoder=EncoderSettings(vectors=vectors)))


def test_it_says_where_vectors_are_kept_and_how_much(tmp_path: Path) -> None:
    assert told("off") == "not kept on disk: every start encodes the catalogue"
    assert told(str(tmp_path / "none")).endswith("none, 0 MB")
    with closing(KeptVectors(tmp_path, "model", DIMENSION, ENOUGH_BYTES)) as kept:
        kept.write(some(*range(10_000)))
    megabytes = round(kept.path.stat().st_size / 1e6)
    assert megabytes >= 1
    assert told(str(tmp_path)).endswith(f"kept in {tmp_path}, {megabytes} MB")
