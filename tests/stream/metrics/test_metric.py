from __future__ import annotations

import pytest

from stream.metrics.metric import Metric, leaves

RECORD = {
    "counts": {"lists": 3, "bounces": 1, "items": 9},
    "running": {"model": {"all": 0.5, "warm": None}, "text": {"all": 0.25}},
    "beats": {},
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("counts.lists", [((), 3)]),
        ("counts.nothing", []),
        ("counts.lists.deeper", []),
        ("beats.{thread}", []),
        ("counts.{what:lists|bounces}", [(("lists",), 3), (("bounces",), 1)]),
        ("running.{model}.{slice}", [(("model", "all"), 0.5), (("text", "all"), 0.25)]),
        ("running.{model}.warm", []),
    ],
)
def test_what_stands_at_a_path(path: str, found: list[tuple[tuple[str, ...], object]]) -> None:
    assert list(leaves(RECORD, path)) == found


def test_labels_stand_in_the_path() -> None:
    metric = Metric("some", "counter", "a.{one}.b.{two:x|y}", "events", "help")
    assert (metric.full_name, metric.labels) == ("upwell_some_total", ("one", "two"))
