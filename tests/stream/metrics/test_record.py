"""A worker's record read by the registry's names."""

from __future__ import annotations

import orjson
import pytest

from stream.metrics.record import parse_record, told

SERVE = {"instance": "serve-0", "role": "serve", "at": 1_000}


def test_a_record_says_who_speaks_and_when() -> None:
    assert parse_record(orjson.dumps(SERVE)) == SERVE


@pytest.mark.parametrize(
    "value",
    [b"", b"{", b"[]", b"null", b'"x"', b'{"instance": "a", "role": "serve"}']
    + [orjson.dumps({**SERVE, name: None}) for name in SERVE],
)
def test_what_is_no_record_of_a_worker_is_none(value: bytes) -> None:
    assert parse_record(value) is None


def test_figures_are_read_by_their_labels_in_their_units() -> None:
    record = {
        **SERVE,
        "lag": {"clicks": 3, "reviews": None},
        "model_at": 5_000,
        "freshness": {"buckets": {"+Inf": 1}, "sum": 0.5},
    }
    assert told(record, "lag_records") == {("clicks",): 3}
    assert told(record, "model_changed_timestamp_seconds") == {(): 5.0}
    assert told(record, "freshness_seconds") == {(): record["freshness"]}
    assert told(record, "records") == {}


def test_a_figure_that_nobody_registered_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        told(SERVE, "wishes")
