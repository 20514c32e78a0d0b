"""Quantiles of the newest numbers."""

from __future__ import annotations

import numpy as np

from learner.desk.quantile import Recent


def test_until_thirty_are_known_it_is_what_was_said_first() -> None:
    recent = Recent(0.6)
    for number in range(29):
        recent.add(number)
    assert recent.quantile(0.5) == 0.6
    recent.add(29)
    assert recent.quantile(0.5) == 14.5


def test_the_oldest_make_room() -> None:
    recent = Recent(0.0)
    for number in range(1_500):
        recent.add(number)
    np.testing.assert_allclose(recent.quantile(0.0), 500.0)
    np.testing.assert_allclose(recent.quantile(1.0), 1_499.0)
