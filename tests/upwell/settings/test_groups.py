"""What is told of every setting, the learner's too."""

from __future__ import annotations

from typing import get_args

from upwell.settings import Settings, all_settings, load_settings, show_value
from upwell.settings.values import Who


def test_every_setting_says_what_it_is_and_who_sets_it() -> None:
    for one in all_settings():
        assert one.does, one.variable
        assert "|" not in one.does + one.unit
        assert one.who in get_args(Who)
        assert one.unit or one.plain_kind not in (int, float) or one.name == "seed"


def test_every_default_is_right_by_its_own_rule() -> None:
    for one in all_settings():
        if one.default is not None:
            text = show_value(one.default)
            assert load_settings({one.variable: text}) == Settings(), one.variable
