"""From bytes to pixels: the same picture in each form, and nothing that fills the memory."""

from __future__ import annotations

import io
import struct
import zlib
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from encoders.pictures.image import LONGEST, decoded
from tests.encoders.pictures.drawn import drawing, encoded, outcome, reason

MOST = 100_000


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "CMYK", "I;16"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    image = drawing().convert("L" if mode == "I;16" else mode)
    image = image.convert("I").convert("I;16") if mode == "I;16" else image
    kind = "JPEG" if mode == "CMYK" else "PNG"
    found = decoded(encoded(image, kind), MOST)
    assert (found.mode, found.size) == ("RGB", image.size)


def test_what_is_transparent_stands_on_white() -> None:
    clear = Image.new("RGBA", (8, 8), (10, 20, 30, 0))
    assert set(decoded(encoded(clear), MOST).get_flattened_data()) == {(255, 255, 255)}
    half = Image.new("RGBA", (8, 8), (0, 0, 0, 255))
    assert set(decoded(encoded(half), MOST).get_flattened_data()) == {(0, 0, 0)}


def test_a_photo_is_turned_as_it_says() -> None:
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees
    drawing(size=(40, 30)).save(file, "JPEG", exif=exif)
    assert decoded(file.getvalue(), MOST).size == (30, 40)


def test_of_an_animation_the_first_frame_counts() -> None:
    frames = [drawing(seed, (20, 20)) for seed in (1, 2)]
    file = io.BytesIO()
    frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    np.testing.assert_array_equal(np.asarray(decoded(file.getvalue(), MOST)), np.asarray(frames[0]))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_truncated_picture_is_broken(kind: str) -> None:
    raw = encoded(drawing(), kind)
    assert reason(lambda: decoded(raw[: len(raw) // 2], MOST)) == "broken"


def png(width: int, height: int) -> bytes:
    """Says so much, and has a little data that unfolds to a lot."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(1_000_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(1_000, 101), (20_000, 20_000), (60_000, 60_000)])
def test_a_bomb_is_refused_before_its_pixels_are_made(size: tuple[int, int]) -> None:
    assert reason(lambda: decoded(png(*size), MOST)) == "pixels"


def test_a_line_of_pixels_is_refused_since_models_scale_the_shorter_side() -> None:
    assert reason(lambda: decoded(encoded(drawing(size=(LONGEST + 1, 1))), MOST)) == "pixels"
    assert decoded(encoded(drawing(size=(1, LONGEST))), MOST).size == (1, LONGEST)


@given(st.binary(max_size=200), st.sampled_from(["PNG", "JPEG", "WEBP", "GIF"]), st.data())
def test_damage_is_refused_or_decoded_and_nothing_else(
    noise: bytes, kind: str, data: st.DataObject
) -> None:
    raw = bytearray(encoded(drawing(size=(9, 7)), kind))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at : at + len(noise)] = noise
    for some in (bytes(raw), noise):
        found = outcome(partial(decoded, some, MOST))
        mode = found.mode if isinstance(found, Image.Image) else found
        assert mode in {"RGB", "broken", "pixels"}
