from __future__ import annotations

import orjson
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from stream.metrics.exposition import MadeRecord, NewestRecord
from stream.metrics.histogram import Histogram

RECORD = {
    "role": "serve",
    "instance": "serve-0",
    "engine": "host-1",
    "store": "edge",
    "at": 1_700_000_000_500,
    "counts": {"lists": 3, "events": 0},
    "dead_letters": {"bad_json": 2, "empty": 0},
    "lag": {"clicks": 7},
    "model_version": "12-abc",
}


def samples(
    newest: MadeRecord | NewestRecord,
) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    registry = CollectorRegistry()
    registry.register(newest)
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(generate_latest(registry).decode())
        for sample in family.samples
    }


def test_before_the_first_record_there_is_nothing() -> None:
    assert samples(NewestRecord()) == {}


def test_a_record_is_made_when_it_is_asked_for() -> None:
    made, lists = MadeRecord(), [3, 4]
    assert samples(made) == {}
    made.show(lambda: {**RECORD, "counts": {"lists": lists.pop(0)}})
    for count in (3.0, 4.0):
        assert samples(made)["upwell_lists_total", (("worker", "serve-0"),)] == count


def test_the_newest_record_is_what_is_read() -> None:
    histogram = Histogram((0.1, 1.0))
    for seconds in (0.05, 0.5, 2.0):
        histogram.observe(seconds)
    newest = NewestRecord()
    newest.show(orjson.dumps({**RECORD, "counts": {"lists": 2}}))
    newest.show(orjson.dumps({**RECORD, "freshness": histogram.report()}))
    worker = ("worker", "serve-0")
    assert samples(newest) == {
        (
            "upwell_worker_info",
            (("engine", "host-1"), ("role", "serve"), ("store", "edge"), worker),
        ): 1.0,
        ("upwell_reported_timestamp_seconds", (worker,)): 1_700_000_000.5,
        ("upwell_records_total", (worker,)): 0.0,
        ("upwell_lists_total", (worker,)): 3.0,
        ("upwell_dead_letters_total", (("reason", "bad_json"), worker)): 2.0,
        ("upwell_dead_letters_total", (("reason", "empty"), worker)): 0.0,
        ("upwell_lag_records", (("topic", "clicks"), worker)): 7.0,
        ("upwell_freshness_seconds_bucket", (("le", "0.1"), worker)): 1.0,
        ("upwell_freshness_seconds_bucket", (("le", "1.0"), worker)): 2.0,
        ("upwell_freshness_seconds_bucket", (("le", "+Inf"), worker)): 3.0,
        ("upwell_freshness_seconds_count", (worker,)): 3.0,
        ("upwell_freshness_seconds_sum", (worker,)): 2.55,
    }


def test_a_name_with_quotes_and_lines_is_one_label() -> None:
    newest = NewestRecord()
    name = 'a"b\\c\nd{}'
    newest.show(orjson.dumps({"role": "learn", "instance": name, "examples": 1}))
    assert samples(newest)["upwell_examples_total", (("worker", name),)] == 1.0
