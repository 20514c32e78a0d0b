"""Both workers of a running engine are scraped, and tell all that the registry names."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from kafka import KafkaProducer
from prometheus_client.parser import text_string_to_metric_families

from stream.metrics.endpoint import LEARN_PLACE, SERVE_PLACE
from stream.metrics.metric import leaves
from stream.metrics.registry import METRICS, UNTOLD
from tests.e2e.engine import Engine, bundled_log, send
from upwell.events import Topic

pytestmark = pytest.mark.timeout(400)

Samples = dict[str, list[tuple[dict[str, str], float]]]


def free_ports(count: int) -> int:
    """The first of so many free ports in a row: whoever takes one of them meanwhile fails the test
    by name.
    """
    while True:
        with socket.create_server(("127.0.0.1", 0)) as first:
            port = int(first.getsockname()[1])
            try:
                for more in range(1, count):
                    socket.create_server(("127.0.0.1", port + more)).close()
            except OSError:
                continue
            return port


def scrape(port: int) -> Samples:
    """By the sample's name; empty while nobody listens."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
            text = answer.read().decode()
    except URLError:
        return {}
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((dict(sample.labels), sample.value))
    return found


def total(samples: Samples, name: str, **labels: str) -> float:
    return sum(value for told, value in samples.get(name, ()) if labels.items() <= told.items())


def paths(record: object, above: str = "") -> set[str]:
    """Of all that stands in a record; a histogram is one thing."""
    if not isinstance(record, dict) or "buckets" in record:
        return {above}
    return {
        path for key, one in record.items() for path in paths(one, f"{above}.{key}".lstrip("."))
    }


def matches(pattern: str, record: dict[str, object]) -> set[str]:
    """The paths in a record that one of the registry's stands for."""
    found = set()
    for labels, _ in leaves(record, pattern):
        values = iter(labels)
        found.add(
            ".".join(next(values) if part.startswith("{") else part for part in pattern.split("."))
        )
    return found


def untold(record: dict[str, object]) -> set[str]:
    known = [*(one.path for one in METRICS), *UNTOLD]
    nothing = {
        path for path in paths(record) if [*leaves(record, path)] == []
    }  # None, or an empty table
    return paths(record) - nothing - {one for path in known for one in matches(path, record)}


def test_a_running_engine_is_scraped(kafka: str, prefix: str, tmp_path: Path) -> None:
    port = free_ports(2)
    items, events = bundled_log(200)
    on = {"UPWELL_METRICS_PORT": str(port), "UPWELL_FUSED": "on", "UPWELL_FUSED_EVERY": "50"}
    with Engine(kafka, prefix, tmp_path, **on) as engine:
        with KafkaProducer(**engine.client) as producer:
            send(producer, prefix, items)
            engine.wait(engine.settled, "the catalogue")
            send(producer, prefix, events)
            producer.send(prefix + Topic.CLICKS, key=b"u", value=b"{")
        engine.wait(engine.settled, "the events")
        engine.wait(
            lambda: (
                total(scrape(port + SERVE_PLACE), "upwell_records_total") == len(events) + 1
                and "upwell_lag_records" in scrape(port + SERVE_PLACE)
            ),
            "serve's figures",
        )
        engine.wait(
            lambda: (
                total(scrape(port + LEARN_PLACE), "upwell_targets_total", slice="all") > 0
                and "upwell_train_loss" in scrape(port + LEARN_PLACE)
            ),
            "learn's figures",
        )
        told = {"serve": scrape(port + SERVE_PLACE), "learn": scrape(port + LEARN_PLACE)}
        records = {role: engine.metrics.newest(role) for role in told}
    serve, learn = told["serve"], told["learn"]
    for role, samples in told.items():
        endings = {"histogram": "_count", "counter": "", "gauge": ""}
        missing = [
            one.full_name
            for one in METRICS
            if role in one.roles
            and not one.seldom
            and not samples.get(one.full_name + endings[one.kind])
        ]
        assert missing == [], role
        assert untold(records[role]) == set(), f"{role} says more than the registry knows"
        assert total(samples, "upwell_worker_info", role=role) == 1
    assert total(serve, "upwell_dead_letters_total", reason="truncated") == 1
    assert total(serve, "upwell_dead_letters_total") == 1
    assert total(serve, "upwell_items") == total(learn, "upwell_items") == len(items)
    assert total(serve, "upwell_freshness_seconds_count") == total(serve, "upwell_lists_total") > 0
    assert total(serve, "upwell_batch_events_sum", chain="users") == len(events) + 1
    assert total(serve, "upwell_stage_seconds_count", stage="rank") > 0
    assert total(serve, "upwell_encoded_tokens_total") > len(items)
    assert total(serve, "upwell_catalogue_texts_total", source="encoded") == len(items)
    assert total(learn, "upwell_examples_total") == len(events)
    assert 0 <= total(learn, "upwell_ndcg10", model="popularity", slice="all") <= 1
    assert scrape(port + SERVE_PLACE) == {}, "who has ended listens no more"


def test_a_taken_port_ends_the_start_and_says_why(kafka: str, prefix: str, tmp_path: Path) -> None:
    from upwell.errors import SettingsError

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = int(taken.getsockname()[1]) - LEARN_PLACE
        with (
            pytest.raises(SettingsError, match=f"{port + LEARN_PLACE}.*UPWELL_METRICS_PORT"),
            Engine(kafka, prefix, tmp_path, UPWELL_METRICS_PORT=str(port)),
        ):
            pass
