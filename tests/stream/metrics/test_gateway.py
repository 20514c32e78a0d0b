from __future__ import annotations

from stream.metrics.gateway import FIGURES
from stream.metrics.registry import METRICS


def test_they_are_the_gateways_and_in_the_registry() -> None:
    assert {one.name for one in FIGURES} == {
        one.name for one in METRICS if one.roles == ("gateway",)
    }
    for one in FIGURES:
        assert one.name.startswith("gateway_")
        assert not {"user", "user_id", "token", "path"} & set(one.labels)
