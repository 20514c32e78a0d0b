"""One encoder's vectors turned to where another's stand: nothing that was near is less near."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from encoders import load_encoder
from encoders.adapt.alignment import (
    FILE,
    Alignment,
    aligned_revision,
    fitted,
    likeness,
    read_alignment,
    write_alignment,
)
from encoders.load import model_revision
from tests.encoders.tiny import message
from upwell.values import Vector

DIMENSION = 8


def units(count: int, seed: int = 1) -> Vector:
    found = np.random.default_rng(seed).standard_normal((count, DIMENSION)).astype(np.float32)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)


def rotation(seed: int = 2) -> Vector:
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((DIMENSION, DIMENSION)))[
        0
    ].astype(np.float32)


def test_what_was_only_turned_comes_back_to_where_it_was() -> None:
    texts = units(200)
    found = fitted(texts @ rotation(), texts)
    np.testing.assert_allclose(found.turned(texts @ rotation()), texts, atol=1e-2)


def test_what_is_near_stays_as_near() -> None:
    own = units(50)
    turned = fitted(own, units(50, seed=3)).turned(own)
    np.testing.assert_allclose(turned @ turned.T, own @ own.T, atol=1e-5)


def test_it_is_nearer_than_before_and_than_another_rotation() -> None:
    other = units(100)
    own = other @ rotation() + 0.1 * units(100, seed=5)
    found = fitted(own, other).turned(own)
    assert (found * other).sum() > (own * other).sum()
    assert (found * other).sum() > ((own @ rotation(seed=9)) * other).sum()


def test_where_no_text_says_anything_nothing_is_turned() -> None:
    texts = units(3)
    found = fitted(texts, texts)
    np.testing.assert_allclose(found.rotation, np.eye(DIMENSION), atol=1e-5)


def test_a_vector_has_the_same_bits_whatever_it_comes_with() -> None:
    texts, found = units(40), Alignment(rotation())
    whole = found.turned(texts)
    for start, end in ((0, 1), (3, 20), (39, 40)):
        np.testing.assert_array_equal(found.turned(texts[start:end]), whole[start:end])
    assert found.turned(texts[:0]).shape == (0, DIMENSION)


def test_it_lies_beside_the_weights_and_is_part_of_the_revision(tiny: Path) -> None:
    plain = load_encoder(str(tiny), device="cpu", engine="torch")
    before = plain.encode(["a title"])
    turned = Alignment(
        np.linalg.qr(np.random.default_rng(0).standard_normal((32, 32)))[0].astype(np.float32)
    )
    write_alignment(tiny, turned)
    read = read_alignment(tiny)
    assert read is not None
    np.testing.assert_array_equal(read.rotation, turned.rotation)
    other = load_encoder(str(tiny), device="cpu", engine="torch")
    np.testing.assert_array_equal(other.encode(["a title"]), turned.turned(before))
    assert other.revision == aligned_revision(plain.revision, turned) != plain.revision
    assert other.revision.startswith(model_revision(str(tiny)))
    raw = load_encoder(str(tiny), device="cpu", engine="torch", aligned=False)
    assert raw.revision == plain.revision
    np.testing.assert_array_equal(raw.encode(["a title"]), before)
    for one in (plain, other, raw):
        one.close()


def test_in_bulk_it_is_turned_too_and_kept_as_it_was_made(tiny: Path, tmp_path: Path) -> None:
    write_alignment(tiny, Alignment(np.eye(32, dtype=np.float32)[::-1].copy()))
    vectors = tmp_path / "vectors"
    first = load_encoder(str(tiny), device="cpu", engine="torch", vectors=vectors)
    made = first.in_bulk().encode(["a title"])
    raw = load_encoder(str(tiny), device="cpu", engine="torch", vectors=vectors, aligned=False)
    bulk = raw.in_bulk()
    np.testing.assert_array_equal(bulk.encode(["a title"])[:, ::-1], made)
    assert bulk.sources["from_disk"] == 1
    for one in (first, raw):
        one.close()


@pytest.mark.parametrize(
    "wrong",
    [
        np.eye(32, 31, dtype=np.float32),
        np.full((32, 32), np.nan, np.float32),
        2 * np.eye(32, dtype=np.float32),
    ],
)
def test_what_is_no_rotation_is_refused(tiny: Path, wrong: Vector) -> None:
    save_file({"rotation": wrong}, tiny / FILE)
    assert FILE in message(lambda: read_alignment(tiny))
    (tiny / FILE).write_bytes(b"torn")
    assert FILE in message(lambda: load_encoder(str(tiny)))


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    said = message(lambda: write_alignment(tmp_path / "none", Alignment(rotation())))
    assert "cannot be written" in said
    assert read_alignment(tmp_path) is None


def test_how_alike_two_sides_are_is_told_without_what_all_texts_share() -> None:
    one = units(300)
    assert likeness(one, one) == pytest.approx(1.0)
    assert likeness(one, one + 5.0) == pytest.approx(1.0, abs=1e-4)
    assert abs(likeness(one, units(300, seed=8))) < 0.1
    assert abs(likeness(one + 5.0, units(300, seed=8) + 5.0)) < 0.1
    assert likeness(one[:1], one[:1]) == 1.0
