from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.replay.tuning.space import SEARCHED, applied, rounded, space, tuned_base, values_of
from upwell.settings import LearnerSettings, Settings, all_settings


def test_what_is_searched_is_a_number_and_right_at_both_ends() -> None:
    known = {one.key: one for one in all_settings()}
    for one in SEARCHED:
        setting = known[one.key]
        assert setting.kind in (int, float)
        assert setting.kind is type(one.low)
        assert setting.above <= one.low < one.high <= setting.below
        assert one.variable == setting.variable


def test_what_holds_is_within() -> None:
    base = replace(LearnerSettings(), neighbours=2_048, candidates=5)
    for one in space(base):
        assert one.low <= getattr(base, one.name) <= one.high
    assert applied(Settings(learner=base), values_of(base, space(base))).learner == base


def test_the_fused_model_is_tuned_where_it_is_on() -> None:
    names = {one.name for one in space(replace(LearnerSettings(), fused=False))}
    assert {one.name for one in space(LearnerSettings())} - names == {"fused_every", "fused_steps"}


def test_all_targets_are_tested() -> None:
    learner = replace(LearnerSettings(), test_sample=0.2)
    assert tuned_base(Settings(learner=learner)).learner.test_sample == 1.0


@given(st.floats(1e-3, 1e3))
def test_three_digits_are_near(value: float) -> None:
    found = rounded(value)
    assert found == pytest.approx(value, rel=0.005)
    assert float(f"{found:.3g}") == found
