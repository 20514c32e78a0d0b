"""Any family that reads pictures: unit vectors, each picture by itself, to the bit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from encoders.pictures.model import PictureModel
from tests.encoders.pictures.drawn import drawing, tiny_clip, tiny_resnet, tiny_siglip, tiny_vit
from tests.encoders.tiny import message, tiny_model

FAMILIES = {
    "vit": (tiny_vit, 16),
    "clip": (tiny_clip, 12),
    "siglip": (tiny_siglip, 16),
    "resnet": (tiny_resnet, 24),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_pictures_become_unit_vectors_each_by_itself_to_the_bit(
    family: str, tmp_path: Path
) -> None:
    make, dimension = FAMILIES[family]
    model = PictureModel(make(tmp_path / family), family, "cpu")
    images = [drawing(seed, size) for seed, size in enumerate([(40, 30), (30, 64), (7, 5)])]
    found = model.encode(images)
    assert (found.shape, model.dimension) == ((3, dimension), dimension)
    assert found.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, atol=1e-6)
    np.testing.assert_array_equal(found[1], model.encode([images[1]])[0])
    assert float(found[0] @ found[1]) < 1.0 - 1e-4
    assert model.encode([]).shape == (0, dimension)
    assert model.has_words == (family in {"clip", "siglip"})


def test_a_pooler_without_weights_is_not_drawn_by_lot(tmp_path: Path) -> None:
    folder = tiny_vit(tmp_path / "vit", pooler=False)
    one, other = (PictureModel(folder, "vit", "cpu").encode([drawing()]) for _ in range(2))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("family", ["clip", "siglip"])
def test_two_towers_read_words_into_the_same_space(family: str, tmp_path: Path) -> None:
    make, dimension = FAMILIES[family]
    model = PictureModel(make(tmp_path / family), family, "cpu")
    found = model.words(["a cat", "a red car " * 50, ""])
    assert found.shape == (3, dimension)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, atol=1e-6)
    np.testing.assert_array_equal(found[0], model.words(["a cat"])[0])


def test_the_revision_is_of_weights_and_of_how_pictures_are_read(tmp_path: Path) -> None:
    first = PictureModel(tiny_vit(tmp_path / "a"), "a", "cpu").revision
    assert PictureModel(tiny_vit(tmp_path / "b"), "b", "cpu").revision == first
    reading = tmp_path / "b" / "preprocessor_config.json"
    reading.write_text(reading.read_text().replace("0.5", "0.4"))
    assert PictureModel(tmp_path / "b", "b", "cpu").revision != first


def without(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        weights = load_file(folder / "model.safetensors")
        kept = {key: one for key, one in weights.items() if name not in key}
        save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without("layernorm.weight"), "lack"),
        (lambda folder: (folder / "model.safetensors").unlink(), "model.safetensors is missing"),
        (lambda folder: (folder / "preprocessor_config.json").unlink(), "cannot be loaded"),
        (lambda folder: (folder / "config.json").write_text("{"), "cannot be loaded"),
    ],
)
def test_a_torn_folder_is_one_line(
    change: Callable[[Path], None], said: str, tmp_path: Path
) -> None:
    folder = tiny_vit(tmp_path / "vit")
    change(folder)
    assert said in message(lambda: PictureModel(folder, "vit", "cpu"))


def test_a_model_of_texts_reads_no_pictures(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "texts")
    assert "reads pictures?" in message(lambda: PictureModel(folder, "texts", "cpu"))
