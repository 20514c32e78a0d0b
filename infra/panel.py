"""What a dashboard is made of: panels, each a title, a unit, what to see in it, and queries; and
the queries that stand on many. It knows no figure, and nothing of Grafana's files.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["RATE", "Dashboard", "Panel", "Query", "panel", "quantiles", "rate", "rates"]

RATE = "[$__rate_interval]"


@dataclass(frozen=True, slots=True)
class Query:
    """expr: PromQL. legend: with labels in double braces."""

    expr: str
    legend: str


@dataclass(frozen=True, slots=True)
class Panel:
    """unit: Grafana's name of it. told: what to see in it."""

    title: str
    unit: str
    told: str
    queries: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """name: of its file, and in its address."""

    name: str
    title: str
    panels: tuple[Panel, ...]


def panel(title: str, unit: str, told: str, *queries: tuple[str, str]) -> Panel:
    """queries: PromQL and legend of each."""
    return Panel(title, unit, told, tuple(Query(*one) for one in queries))


def rate(counter: str, by: str) -> str:
    """A second, summed by one label."""
    return f"sum by ({by}) (rate({counter}{RATE}))"


def rates(name: str, by: str, legend: str = "") -> tuple[str, str]:
    """Of the counter `upwell_NAME_total`, a line for each value of a label; legend: behind it."""
    return rate(f"upwell_{name}_total", by), f"{{{{{by}}}}} {legend}".strip()


def quantiles(metric: str, by: str = "") -> tuple[tuple[str, str], ...]:
    """The median and the 99th of a histogram, by a label where one is named."""
    labels = f"le, {by}" if by else "le"
    legend = f" {{{{{by}}}}}" if by else ""
    return tuple(
        (f"histogram_quantile({q}, sum by ({labels}) (rate({metric}_bucket{RATE})))", name + legend)
        for q, name in ((0.5, "p50"), (0.99, "p99"))
    )
