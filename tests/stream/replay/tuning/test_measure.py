from __future__ import annotations

import numpy as np
import pytest

from encoders.hashing import HashingEncoder
from stream.replay.tuning.measure import prefixes, whole_run
from stream.replay.tuning.parts import split
from tests.stream.replay.tuning.logs import SETTINGS, small_log

ENCODER = HashingEncoder()


def test_the_figures_of_a_prefix_do_not_depend_on_what_comes() -> None:
    lines, other = small_log(320), small_log(320, seed=5)
    changed = [*lines[: 30 + 210], *other[30 + 210 :]]
    points, again = (list(prefixes(SETTINGS, ENCODER, one)) for one in (lines, changed))
    assert [point.step for point in points] == [2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert points[:5] == again[:5]
    assert points[-1] != again[-1]


def test_a_log_of_one_batch_has_one_point() -> None:
    [point] = prefixes(SETTINGS, ENCODER, small_log(10, items=4))
    assert point.step == 10


def test_the_first_part_teaches_and_does_not_count() -> None:
    parts = split(small_log(160), 0.5)
    run = whole_run(SETTINGS, ENCODER, parts.first, parts.rest)
    assert len(run.sums) == len(parts.rest) / 16
    assert 0 < run.sums[:, 0].sum() <= len(parts.rest)
    assert (run.sums[:, 1] <= run.sums[:, 0]).all()
    untaught = whole_run(SETTINGS, ENCODER, parts.first[:30], parts.rest)
    assert untaught.sums[:, 1].sum() != pytest.approx(run.sums[:, 1].sum())
    again = whole_run(SETTINGS, ENCODER, parts.first, parts.rest)
    np.testing.assert_array_equal(run.sums, again.sums)
