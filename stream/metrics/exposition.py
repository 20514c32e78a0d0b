"""A worker's newest record on `metrics`, as Prometheus reads it: the very bytes that were
published, so that the two cannot say different things. The gateway publishes none: its record is
made when it is asked for.

A scrape asks no thread that works. It knows nothing of HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import orjson
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.core import (
    Metric as Family,
)
from prometheus_client.registry import Collector

from stream.metrics.metric import INFO, PREFIX, WORKER, Metric, leaves
from stream.metrics.registry import METRICS

__all__ = ["MadeRecord", "NewestRecord", "families"]


class NewestRecord(Collector):
    """What was shown last. Nothing before the first."""

    def __init__(self) -> None:
        self._value = b"{}"

    def show(self, value: bytes) -> None:
        """value: of a record on `metrics`. Costs nothing before it is scraped."""
        self._value = value

    def collect(self) -> Iterable[Family]:
        """What prometheus-client asks at each scrape."""
        return families(orjson.loads(self._value))


class MadeRecord(Collector):
    """What is made at each scrape. Nothing before it is told how."""

    def __init__(self) -> None:
        self._make: Callable[[], Mapping[str, Any]] = dict

    def show(self, make: Callable[[], Mapping[str, Any]]) -> None:
        """make: the record as it would stand on `metrics`; called on any thread."""
        self._make = make

    def collect(self) -> Iterable[Family]:
        """What prometheus-client asks at each scrape."""
        return families(self._make())


def families(record: Mapping[str, Any]) -> Iterator[Family]:
    """All that the registry names and the record has."""
    if not record:
        return
    worker = str(record["instance"])
    info = GaugeMetricFamily(
        f"{PREFIX}worker_info", "which worker this is; always 1", labels=[WORKER, *INFO]
    )
    info.add_metric([worker, *(str(record.get(name, "")) for name in INFO.values())], 1.0)
    yield info
    for metric in METRICS:
        found = list(leaves(record, metric.path))
        if found:
            yield _family(metric, worker, found)


def _family(metric: Metric, worker: str, found: Iterable[tuple[tuple[str, ...], Any]]) -> Family:
    name, told = f"{PREFIX}{metric.name}", f"{metric.help} ({metric.unit})"
    labels = [WORKER, *metric.labels]
    if metric.kind == "histogram":
        histogram = HistogramMetricFamily(name, told, labels=labels)
        for values, value in found:
            histogram.add_metric([worker, *values], list(value["buckets"].items()), value["sum"])
        return histogram
    kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    family = kind(name, told, labels=labels)
    for values, value in found:
        family.add_metric([worker, *values], value * metric.scale)
    return family
