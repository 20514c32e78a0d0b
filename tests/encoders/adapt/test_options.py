from __future__ import annotations

import pytest

from encoders.adapt import METHODS, Options, Schedule
from encoders.adapt.options import layers_of
from upwell.errors import SettingsError


@pytest.mark.parametrize("method", ["lora", "adalora", "ia3", "prefix", "top:1", "top:12"])
def test_each_method_has_its_rate_unless_another_is_given(method: str) -> None:
    assert Options(method).rate == METHODS[method.partition(":")[0]]
    assert Options(method, schedule=Schedule(rate=0.25)).rate == 0.25
    assert Options(method).merges == (method != "prefix")


@pytest.mark.parametrize(
    "method", ["", "top", "top:", "top:0", "top:-1", "top:1000", "LoRA", "qlora"]
)
def test_another_is_refused_with_those_that_there_are(method: str) -> None:
    with pytest.raises(SettingsError, match="must be lora, adalora, ia3, prefix or top:N"):
        Options(method)


def test_the_number_of_layers_is_read() -> None:
    assert [layers_of(one) for one in ("top:3", "top:03", "lora")] == [3, None, None]
