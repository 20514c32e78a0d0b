"""Pictures among texts: what is missing has no share, what is there is weighed; a map comes back as
it went.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encoders.pictures.placing import PictureMap, Placing, read_map, rotation, write_map
from tests.encoders.tiny import message
from upwell.values import Vector


def unit(seed: int, length: int) -> Vector:
    drawn = np.random.default_rng(seed).normal(size=length)
    return np.asarray(drawn / np.linalg.norm(drawn), np.float32)


def a_map(pictures: int = 6, texts: int = 4) -> PictureMap:
    rng = np.random.default_rng(1)
    parts = (rng.normal(size=pictures), rng.normal(size=(pictures, texts)), rng.normal(size=texts))
    first, turn, last = (one.astype(np.float32) for one in parts)
    return PictureMap(first, turn, last, "m", "e")


@given(st.integers(0, 99), st.integers(0, 99), st.floats(0, 1))
def test_an_item_is_of_unit_length_and_a_picture_alone_is_where_the_map_says(
    first: int, second: int, weight: float
) -> None:
    placing, text, picture = Placing(a_map(), weight), unit(first, 4), unit(second, 6)
    both, alone = placing(text, picture), placing(None, picture)
    assert both.dtype == alone.dtype == np.float32
    np.testing.assert_allclose([np.linalg.norm(both), np.linalg.norm(alone)], 1.0, atol=1e-6)
    np.testing.assert_array_equal(alone, placing.into_texts(picture))
    np.testing.assert_array_equal(alone, Placing(a_map(), 0.5)(None, picture))


def test_the_weight_goes_from_the_words_to_the_picture() -> None:
    text, picture = unit(1, 4), unit(2, 6)
    np.testing.assert_allclose(Placing(a_map(), 0.0)(text, picture), text, atol=1e-7)
    near = [float(Placing(a_map(), one)(text, picture) @ text) for one in (0.0, 0.3, 0.6, 1.0)]
    assert near == sorted(near, reverse=True)
    np.testing.assert_array_equal(
        Placing(a_map(), 1.0)(text, picture), Placing(a_map(), 1.0)(None, picture)
    )


def test_what_cancels_out_still_has_a_vector() -> None:
    placing = Placing(rotation(4, 4), 0.5)
    picture = unit(3, 4)
    text = np.asarray(-placing(None, picture), np.float32)
    np.testing.assert_array_equal(placing(text, picture), [1.0, 0.0, 0.0, 0.0])


@pytest.mark.parametrize(("pictures", "texts"), [(6, 6), (4, 9), (1, 3)])
def test_without_a_map_what_is_near_among_pictures_stays_so(pictures: int, texts: int) -> None:
    turned = rotation(pictures, texts)
    some = np.stack([unit(seed, pictures) for seed in range(8)])
    placed = np.stack([turned(one) for one in some])
    np.testing.assert_allclose(placed @ placed.T, some @ some.T, atol=1e-5)


def test_where_there_is_less_room_it_stays_so_about() -> None:
    turned = rotation(1_280, 384)
    some = np.stack([unit(seed, 1_280) for seed in range(40)])
    placed = np.stack([turned(one) for one in some])
    assert float(np.abs(placed @ placed.T - some @ some.T).max()) < 0.25


def test_a_map_comes_back_as_it_went(tmp_path: Path) -> None:
    made = a_map()
    write_map(tmp_path / "map", made)
    found = read_map(tmp_path / "map")
    assert (found.digest, found.model, found.encoder) == (made.digest, "m", "e")
    np.testing.assert_array_equal(found(unit(1, 6)), made(unit(1, 6)))
    assert a_map(6, 5).digest != made.digest


def test_the_name_tells_map_and_weight() -> None:
    assert Placing(a_map(), 0.3).name == f"{a_map().digest}-0.3"
    assert Placing(rotation(6, 4), 0.3).name != Placing(a_map(), 0.3).name


@pytest.mark.parametrize("fault", ["missing", "garbage", "shape", "nan"])
def test_what_is_no_map_is_one_line(fault: str, tmp_path: Path) -> None:
    path = tmp_path / "map"
    made = a_map()
    if fault == "garbage":
        path.write_bytes(b"x" * 100)
    elif fault in ("shape", "nan"):
        turn = made.turn[:3] if fault == "shape" else made.turn * np.float32(np.nan)
        assert "upwell pictures fit" in message(
            lambda: PictureMap(made.of_pictures, turn, made.of_texts)
        )
        return
    assert "upwell pictures fit" in message(lambda: read_map(path))


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    assert "cannot be written" in message(lambda: write_map(tmp_path / "no" / "map", a_map()))
