"""What an encode process says of itself, and when it does not start; tests/e2e runs it."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest

from stream.encode.lane import Lane
from stream.encode.models import Models
from stream.encode.run import LANES, encode_name, figures, run_encode
from stream.encode.topics import EncodeTopic
from stream.metrics import endpoint
from stream.metrics.metric import leaves
from stream.metrics.record import parse_record
from stream.metrics.registry import METRICS
from stream.ops.supervise import ALL_ROLES, ENCODE
from tests.stream.encode.posts import ENCODER
from upwell.errors import SettingsError
from upwell.settings import load_settings


def said(models: Any = None) -> dict[str, Any]:
    lanes = {name: SimpleNamespace(counts=Counter(texts=3, stale=1)) for name in LANES}
    given = models or SimpleNamespace(newest=ENCODER)
    settings = load_settings({"UPWELL_INSTANCE": "gpu-1"})
    return figures(settings, cast(dict[str, Lane], lanes), cast(Models, given), False)


def test_nobody_is_answered_where_serve_encodes_itself() -> None:
    with pytest.raises(SettingsError, match="UPWELL_ENCODED_BY is serve, so nobody would ask"):
        run_encode(load_settings({}))


def test_its_record_has_each_figure_of_its_role() -> None:
    record = said()
    own = [one for one in METRICS if "encode" in one.roles]
    assert len(own) >= 6
    assert [one.name for one in own if not list(leaves(record, one.path))] == []
    assert record["encode"] == {
        "texts": {"users": 3, "items": 3},
        "unread": {"unreadable": 0, "stale": 2},
    }
    assert said(SimpleNamespace(newest=None))["encoder"] == "", "before its model is loaded"


def test_it_has_a_name_a_role_and_a_port_of_its_own() -> None:
    assert said()["instance"] == "encode-gpu-1"
    assert encode_name(load_settings({})) == "encode-serve-0"
    assert said()["role"] == ENCODE in ALL_ROLES
    places = [
        endpoint.SERVE_PLACE,
        endpoint.LEARN_PLACE,
        endpoint.GATEWAY_PLACE,
        *endpoint.USE_PLACES.values(),
    ]
    assert endpoint.ENCODE_PLACE not in places
    assert set(LANES.values()) == set(EncodeTopic) - {EncodeTopic.VECTORS}


def test_its_record_is_one_of_metrics() -> None:
    assert parse_record(orjson.dumps(said())) is not None
