"""How a rate of false alarms is shared out."""

from __future__ import annotations

from learner.watch.options import Options

DAY = 86_400_000


def test_masses_of_a_day_are_half_of_what_is_allowed() -> None:
    options = Options(false_alarms=2.0)
    assert sum(options.mass(DAY // 1_000) for _ in range(1_000)) <= 1.0 + 1e-9
    assert options.mass(DAY // 1_000) == 0.001
    assert options.mass(-5) == 0.0


def test_a_long_silence_is_no_evidence() -> None:
    assert Options(false_alarms=100.0).mass(30 * DAY) == 0.01


def test_bounds_that_do_not_hold_cost_the_other_half_of_a_day() -> None:
    options = Options(false_alarms=1.0)
    epochs, topics = DAY / options.epoch_ms, 40
    assert 2.0 * 3.0 * topics * epochs * options.risk(topics) <= 0.5 + 1e-9
    assert Options(false_alarms=1e9).risk(1) == 0.05
