"""Pictures to vectors, each with its reason where there is none; nothing waits for ever, nothing is
read twice.
"""

from __future__ import annotations

import threading
from pathlib import Path
from urllib.parse import SplitResult

import numpy as np
import pytest

from encoders.kept import KeptVectors
from encoders.pictures.model import PictureModel
from encoders.pictures.placing import Placing, rotation
from encoders.pictures.reader import PictureReader
from encoders.pictures.source import Source
from tests.encoders.pictures.drawn import data_uri, drawing, encoded, tiny_clip, tiny_vit
from upwell.values import PICTURE_REASONS

ONE, OTHER = data_uri(drawing(1)), data_uri(drawing(2), "JPEG")


@pytest.fixture
def model(tmp_path: Path) -> PictureModel:
    return PictureModel(tiny_vit(tmp_path / "vit"), "vit", "cpu")


def reader(model: PictureModel, source: Source | None = None, **more: object) -> PictureReader:
    placing = Placing(rotation(model.dimension, 8), 0.3)
    return PictureReader(model, source or Source(), placing, **more)  # type: ignore[arg-type]


def test_each_picture_has_its_vector_or_its_reason(model: PictureModel) -> None:
    own = reader(model)
    found = own.look([ONE, "http://h/a.png", OTHER, "data:image/png;base64,AAAA", ONE])
    assert [one.reason for one in found] == ["", "scheme", "", "type", ""]
    first, second = found[0].vector, found[4].vector
    assert first is not None
    assert second is not None
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(first, model.encode([drawing(1)])[0], atol=1e-3)
    np.testing.assert_array_equal(first, first.astype(np.float16).astype(np.float32))
    assert found[0].content == found[4].content != found[2].content
    assert {name: n for name, n in own.counts.items() if n} == {"read": 3, "scheme": 1, "type": 1}
    own.close()
    own.close()


def test_a_picture_of_too_many_pixels_is_told(model: PictureModel) -> None:
    [one] = reader(model, most_pixels=100).look([ONE])
    assert (one.reason, one.vector) == ("pixels", None)


def test_what_was_read_is_taken_from_disk_to_the_bit(model: PictureModel, tmp_path: Path) -> None:
    def kept() -> KeptVectors:
        return KeptVectors(tmp_path / "kept", "pictures/x", model.dimension, 10**9)

    first, second = reader(model, kept=kept()), reader(model, kept=kept())
    before, after = first.look([ONE, OTHER]), second.look([OTHER, ONE])
    assert (second.counts["from_disk"], second.counts["read"]) == (2, 0)
    for one, other in zip(before, reversed(after), strict=True):
        np.testing.assert_array_equal(one.vector, other.vector)
        assert one.content == other.content
    first.close()
    second.close()


def test_another_model_does_not_take_what_this_one_read(
    model: PictureModel, tmp_path: Path
) -> None:
    other = PictureModel(tiny_clip(tmp_path / "clip"), "clip", "cpu")
    own = KeptVectors(tmp_path / "kept", "same", model.dimension, 10**9)
    first = reader(model, kept=own)
    first.look([ONE])
    second = PictureReader(other, Source(), Placing(rotation(12, 8), 0.3), kept=own)
    second.look([ONE])
    assert second.counts["from_disk"] == 0
    assert second.revision != first.revision


def test_who_takes_too_long_comes_later_and_the_others_now(model: PictureModel) -> None:
    gate = threading.Event()

    def fetch(address: SplitResult, most_bytes: int) -> bytes:
        assert gate.wait(30.0)
        return encoded(drawing(3))

    own = reader(model, Source(fetch=fetch), seconds=0.05)
    found = own.look(["https://h/slow.png"] * 20 + [ONE])
    assert {one.reason for one in found[:20]} == {"later"}
    gate.set()
    again = reader(model, Source(fetch=fetch), seconds=30.0)
    assert [one.reason for one in again.look(["https://h/slow.png", ONE])] == ["", ""]
    own.close()
    again.close()


def test_only_two_towers_have_words(model: PictureModel, tmp_path: Path) -> None:
    assert reader(model).words(["a"]) is None
    clip = PictureModel(tiny_clip(tmp_path / "clip"), "clip", "cpu")
    found = PictureReader(clip, Source(), Placing(rotation(12, 8), 0.3)).words(["a", "b"])
    assert found is not None
    assert found.shape == (2, 12)


def test_every_reason_is_explained() -> None:
    page = (Path(__file__).parents[3] / "docs" / "pictures.md").read_text(encoding="utf-8")
    assert [one for one in PICTURE_REASONS if f"`{one}`" not in page] == []
