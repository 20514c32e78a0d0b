"""The page of all figures: `python -m stream.metrics.table` prints docs/metrics.md."""

from __future__ import annotations

import sys

from stream.metrics.metric import INFO, PREFIX, WORKER, Metric
from stream.metrics.registry import METRICS, UNTOLD

__all__ = ["main", "metrics_page"]

HEAD = f"""# Metrics

<!-- Made by `make docs` from stream/metrics/registry.py: change it there. -->

Each worker writes a record on the topic `metrics` every second. With `UPWELL_METRICS_PORT` set it
answers `GET /metrics` too, as Prometheus reads it: serve on that port, learn on the next one, the
gateway on the one after, on the loopback address unless `UPWELL_METRICS_HOST` says otherwise. What
is scraped is made of the newest record, so both say the same; the gateway writes no record, its
figures are made when they are asked for. Counters begin at 0 when a worker starts. No figure names
a user. Two engines on one machine, a second serve worker or gateway, have a port of their own each:
one that is taken ends the start with a line that says so.

Every figure has the label `{WORKER}`, the worker's name. `{PREFIX}worker_info`, always 1, has the
labels {", ".join(f"`{label}`" for label in INFO)} beside it. A figure marked *seldom* is there once
there is something to tell. Dashboards and alerts that are made of these: infra/grafana,
infra/prometheus; what to do when one of them fires: [runbook.md](runbook.md).

| name | kind | labels | unit | of | in the record | what it is |
| --- | --- | --- | --- | --- | --- | --- |
"""
REST = """
## In the record alone

| in the record | why |
| --- | --- |
"""


def metrics_page() -> str:
    """docs/metrics.md."""
    untold = "".join(f"| `{_cell(path)}` | {why} |\n" for path, why in UNTOLD.items())
    return HEAD + "".join(map(_row, METRICS)) + REST + untold


def _row(one: Metric) -> str:
    cells = (
        f"`{one.full_name}`",
        one.kind,
        ", ".join(f"`{label}`" for label in one.labels) or "–",
        one.unit,
        ", ".join(one.roles),
        f"`{_cell(one.path)}`",
        f"{one.help}{' *seldom*' if one.seldom else ''}",
    )
    return f"| {' | '.join(cells)} |\n"


def _cell(path: str) -> str:
    return path.replace("|", "\\|")


def main() -> None:
    """Print the page."""
    sys.stdout.write(metrics_page())


if __name__ == "__main__":
    main()
