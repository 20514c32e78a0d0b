"""The words of UPWELL_OBJECTIVES."""

from __future__ import annotations

import pytest

from upwell.errors import SettingsError
from upwell.settings import load_settings
from upwell.settings.objectives import objective_weights


def test_what_is_left_out_weighs_nothing_and_a_click_one() -> None:
    found = objective_weights(" purchase=2 ,return = .5")
    assert found == {"click": 1.0, "purchase": 2.0, "dwell": 0.0, "return": 0.5}
    assert objective_weights("click=0, dwell=1.") == {
        "click": 0.0,
        "purchase": 0.0,
        "dwell": 1.0,
        "return": 0.0,
    }
    assert objective_weights(None) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("purchase", "has 'purchase': must be as purchase=2"),
        ("purchase=2 dwell=1", "must be as purchase=2, with a comma between two"),
        ("purchase=2,", "has ''"),
        ("sale=2", "weighs 'sale': must be one of click, purchase, dwell, return"),
        ("purchase=-1", "has 'purchase=-1'"),
        ("purchase=nan", "has 'purchase=nan'"),
        ("purchase=1e3", "has 'purchase=1e3'"),
        ("purchase=101", "gives 101 to purchase: must be between 0 and 100"),
        ("purchase=1,purchase=2", "weighs purchase twice"),
        ("click=2", "must weigh one of purchase, dwell, return above 0"),
        ("purchase=0", "above 0, or be unset"),
        ("purchase=٣", "has 'purchase=٣'"),
    ],
)
def test_what_is_wrong_is_said_when_settings_are_read(text: str, said: str) -> None:
    with pytest.raises(SettingsError, match="UPWELL_OBJECTIVES") as failed:
        load_settings({"UPWELL_OBJECTIVES": text})
    assert said in str(failed.value)


def test_it_is_a_setting_and_none_beside_a_budget_of_privacy() -> None:
    settings = load_settings({"UPWELL_OBJECTIVES": "purchase=2"})
    assert settings.learner.objectives == "purchase=2"
    assert load_settings({}).learner.objectives is None
    with pytest.raises(SettingsError, match="UPWELL_OBJECTIVES counts"):
        load_settings({"UPWELL_OBJECTIVES": "purchase=2", "UPWELL_PRIVATE_EPSILON": "1"})
