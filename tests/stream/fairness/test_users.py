from __future__ import annotations

import numpy as np
import pytest

from stream.fairness.exposure import HALF_LIFE
from stream.fairness.users import UserGroups

NOTHING = np.full((1, 2), -1, np.int32)


def codes(*items: int) -> np.ndarray:
    return np.array([[one, -1] for one in items], np.int32)


def test_lists_and_their_divergence_by_activity() -> None:
    groups = UserGroups()
    groups.add(4, codes(0, 0), codes(1))
    groups.add(4, codes(0), codes(0))
    groups.add(0, NOTHING, codes(0))
    found, keep = groups.report(), 2.0 ** (-1.0 / HALF_LIFE)
    own = keep**2 + keep
    assert found["15+"]["lists"] == pytest.approx(own / (own + 1.0))
    assert found["15+"]["divergence"] == pytest.approx(keep**2 / own)
    assert found["0"]["lists"] == pytest.approx(1.0 / (own + 1.0))
    assert found["0"]["divergence"] is None
    assert found["1-2"] == {"lists": 0.0, "divergence": None}


def test_before_the_first_list_nothing_is_told() -> None:
    assert all(one == {"lists": None, "divergence": None} for one in UserGroups().report().values())
