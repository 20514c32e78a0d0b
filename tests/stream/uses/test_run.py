"""Uses have one name everywhere; what their processes do is run in tests/e2e/uses."""

from __future__ import annotations

from stream.metrics.endpoint import GATEWAY_PLACE, LEARN_PLACE, SERVE_PLACE, USE_PLACES
from stream.ops import supervise
from stream.uses.run import USES
from upwell.settings import load_settings
from upwell.uses.topics import UseTopic


def test_each_use_is_a_role_with_a_port_of_its_own() -> None:
    assert set(USES) == set(supervise.USES) == set(USE_PLACES)
    places = [SERVE_PLACE, LEARN_PLACE, GATEWAY_PLACE, *USE_PLACES.values()]
    assert len(set(places)) == len(places)


def test_each_is_made_of_the_settings_under_its_name() -> None:
    for name, make in USES.items():
        use = make(load_settings({}, None), 8)
        assert use.name == name
        assert use.steps is UseTopic(f"{name}_steps")
        assert use.meta()
        assert all(one.shape is not None for one in use.arrays().values())
