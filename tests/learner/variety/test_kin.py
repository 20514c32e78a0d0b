"""Stems of titles, and who is kin of whom."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learner.variety.kin import KinTable, kin_of, stem
from upwell.settings import LearnerSettings
from upwell.values import CatalogueItem

ITEM = CatalogueItem(
    item_id="i", ts=1, title="Shirt blue M", vector=np.ones(2, np.float32), revision="r", brand="b"
)


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Blue shirt, size M", "blue shirt"),
        ("Blue shirt XL", "blue shirt"),
        ("BLUE  Shirt - 3XL", "blue shirt"),
        ("Shirt (M, black)", "shirt"),
        ("T-shirt light blue M", "t shirt"),
        ("Hemd dunkel blau Größe 42", "hemd"),
        ("白いシャツ M", "白いシャツ"),
        ("Runner 42.5", "runner 42.5"),
        ("Episode 40", "episode 40"),
        ("Shoe EU 8", "shoe"),
        ("Milk 1,5l", "milk"),
        ("Milk 500 ml", "milk"),
        ("Screw 10×20mm", "screw"),
        ("Phone 15 128GB", "phone 15"),
        ("Shoe 8", "shoe 8"),
        ("Rocky 2", "rocky 2"),
        ("Rocky II (1979)", "rocky ii 1979"),
        ("Blade Runner 2049", "blade runner 2049"),
        ("Toy Story (1995)", "toy story 1995"),
        ("Red", ""),
        ("XL", ""),
        ("", ""),
        (" - ", ""),
    ],
)
def test_a_stem_is_the_title_without_what_tells_a_variant(title: str, expected: str) -> None:
    assert stem(title) == expected


@pytest.mark.parametrize("title", ["Runner 42", "Runner 42.5", "RUNNER black 38", "Runner"])
def test_of_a_brand_numbers_are_sizes(title: str) -> None:
    assert stem(title, branded=True) == "runner"
    assert kin_of(replace(ITEM, title=title)) == kin_of(replace(ITEM, title="Runner"))
    assert stem("Runner 8", branded=True) == "runner 8"


@given(st.text(max_size=40), st.booleans())
def test_a_stem_has_no_tail_of_its_own(title: str, branded: bool) -> None:
    assert stem(stem(title, branded), branded) == stem(title, branded)


def test_kin_have_the_group_or_else_the_stem_and_the_brand_in_common() -> None:
    number, told = kin_of(ITEM)
    assert number != 0
    assert not told
    assert kin_of(replace(ITEM, item_id="j", title="SHIRT, red XXL")) == (number, False)
    for other in ({"brand": "c"}, {"brand": None}, {"title": "Skirt blue M"}, {"group": "g"}):
        assert kin_of(replace(ITEM, **other))[0] != number
    grouped = kin_of(replace(ITEM, group="g", title="anything"))
    assert grouped == kin_of(replace(ITEM, group="g", brand=None)) == (grouped[0], True)
    assert grouped != kin_of(replace(ITEM, title="g", brand=None))
    assert kin_of(replace(ITEM, title="XL")) == (0, False)
    assert kin_of(replace(ITEM, group="\ud800"))[1], "no id of Kafka's, and no fault either"


def test_the_table_holds_the_last_announcement_of_a_row_and_grows_with_zeros() -> None:
    table, vectors = KinTable(), np.ones((3, 2), np.float32)
    table.put([], [])
    told_by = LearnerSettings(same_group=2, diversity=0.5, calibration=1.5)
    empty = table.variety(vectors, told_by)
    assert [len(empty.kin), len(empty.told)] == [3, 3]
    assert empty[2:] == (vectors, 2, 0.5, 1.5)
    changed = replace(ITEM, group="g")
    table.put([5, 1, 1], [ITEM, ITEM, changed])
    kin, told, *_ = table.variety(vectors, told_by)
    assert kin[5] == kin_of(ITEM)[0]
    assert (kin[1], told[1]) == kin_of(changed)
    assert not kin[[0, 2, 3, 4]].any()
    table.put([1], [replace(changed, group=None)])
    assert table.variety(vectors, told_by).kin[1] == kin[5]
