"""Signals by name and number: those of a kind stand together, as the kernels count on."""

from __future__ import annotations

from learner.ranking.affinity import USER_SIGNALS
from learner.ranking.names import (
    DENSE,
    FIRST_DENSE,
    FIRST_FEATURE,
    FIRST_LATELY,
    FIRST_ORDER,
    FIRST_USER,
    SIGNALS,
)


def test_no_two_signals_have_one_name() -> None:
    assert len(set(SIGNALS)) == len(SIGNALS)


def test_popularity_then_the_user_s_then_features_then_dense_ones() -> None:
    assert 0 < FIRST_USER < FIRST_FEATURE < FIRST_DENSE < len(SIGNALS)
    assert FIRST_LATELY == FIRST_FEATURE + 1
    assert FIRST_ORDER == FIRST_DENSE - 2
    assert FIRST_FEATURE - FIRST_USER == USER_SIGNALS
    assert DENSE == ("intent", "fused")
    assert SIGNALS[FIRST_DENSE:] == DENSE
    assert SIGNALS[FIRST_FEATURE:FIRST_DENSE] == (
        "categories",
        "categories_5",
        "categories_30",
        "years_5",
        "level_3",
        "level_10",
        "order_5",
        "order_30",
        "price_10",
        "brand_30",
        "again",
        "again_lately",
        "catalogue_distance",
        "catalogue_direction",
    )
