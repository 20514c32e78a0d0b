"""The signals by name and number, and how each is read. It computes none of them."""

from __future__ import annotations

from upwell.settings import OBJECTIVES

__all__ = [
    "BESIDE",
    "BRAND",
    "DENSE",
    "FIRST_DENSE",
    "FIRST_FEATURE",
    "FIRST_LATELY",
    "FIRST_ORDER",
    "FIRST_USER",
    "LIFETIME",
    "REPEATS",
    "SIGNALS",
    "VARIETY",
]

VARIETY = ("diversity", "calibration")
"""Shares of a score that `learner.variety` adds, no signals."""
BESIDE = (*VARIETY, *OBJECTIVES)
"""The same with those of `learner.objectives`."""

SIGNALS = (
    "popularity_50",
    "popularity_200",
    "popularity_1000",
    "popularity_5000",
    "popularity_50000",
    "likes_20000",
    "newcomers_20",
    "newcomers_200",
    "popularity",
    "recency",
    "newness",
    "text_popularity",
    "like_rate",
    "lifetime",
    "covisitation",
    "affinity_10",
    "affinity_50",
    "affinity_any_10",
    "transition_last",
    "transition_3",
    "transition_any_3",
    "transition_recent",
    "transition_10",
    "text_similarity",
    "text_covisitation",
    "relations",
    "relation_1",
    "relation_2",
    "relations_far",
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
    "intent",
    "fused",
)
FIRST_USER = SIGNALS.index("covisitation")
FIRST_FEATURE = SIGNALS.index("categories")
FIRST_LATELY = SIGNALS.index("categories_5")
FIRST_ORDER = SIGNALS.index("catalogue_distance")
BRAND = SIGNALS.index("brand_30")
LIFETIME = SIGNALS.index("lifetime")
REPEATS = SIGNALS.index("again")
FIRST_DENSE = SIGNALS.index("intent")
DENSE = SIGNALS[FIRST_DENSE:]
