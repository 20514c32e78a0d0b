from __future__ import annotations

import re

from stream.metrics.registry import METRICS


def test_names_are_prometheus_s_and_stand_once() -> None:
    names = [one.full_name for one in METRICS]
    assert len(set(names)) == len(names)
    for one in METRICS:
        assert re.fullmatch(r"upwell_[a-z0-9_]+", one.full_name)
        assert one.name.endswith("_total") is False, "a counter's ending is added"
        assert one.labels == tuple(dict.fromkeys(one.labels)), one.name
        assert ("seconds" in one.unit) == one.name.endswith("seconds"), one.name
        assert (one.unit == "bytes") == one.name.endswith("bytes"), one.name
