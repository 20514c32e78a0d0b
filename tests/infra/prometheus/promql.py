"""What PromQL names: figures, and the labels that it asks of them; parsed, never by expression."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import promql_parser

from stream.metrics.metric import INFO, PREFIX, WORKER
from stream.metrics.registry import METRICS

__all__ = ["faults", "labels_of", "named"]

SCRAPED = {"job", "instance"}
"""Labels that Prometheus adds."""
KNOWN: dict[str, set[str]] = {
    "up": set(),
    f"{PREFIX}worker_info": {WORKER, *INFO},
}
for metric in METRICS:
    if metric.kind == "histogram":
        for ending, more in (("_bucket", {"le"}), ("_sum", set()), ("_count", set())):
            KNOWN[metric.full_name + ending] = {WORKER, *metric.labels, *more}
    else:
        KNOWN[metric.full_name] = {WORKER, *metric.labels}


@dataclass
class _Found:
    names: set[str] = field(default_factory=set)
    labels: set[tuple[str, str]] = field(default_factory=set)
    grouped: set[str] = field(default_factory=set)


def named(query: str) -> set[str]:
    """The figures that a query asks for. Raises `ValueError` where it is no PromQL."""
    found = _Found()
    _read(promql_parser.parse(query.replace("$__rate_interval", "5m")), found)
    return found.names


def labels_of(name: str) -> set[str]:
    return KNOWN[name] | SCRAPED


def faults(query: str) -> list[str]:
    """What is wrong with a query: figures that nobody tells, labels that a figure has not."""
    found = _Found()
    _read(promql_parser.parse(query.replace("$__rate_interval", "5m")), found)
    unknown = [f"no figure {name}" for name in sorted(found.names - KNOWN.keys())]
    if unknown:
        return unknown
    wrong = [
        f"{name} has no label {label}"
        for name, label in sorted(found.labels)
        if label not in labels_of(name)
    ]
    every = set().union(*(labels_of(name) for name in found.names))
    return wrong + [f"no label {label} to group by" for label in sorted(found.grouped - every)]


def _read(expr: Any, found: _Found) -> None:
    for selector in _selectors(expr, found):
        found.names.add(selector.name)
        found.labels |= {(selector.name, one.name) for one in selector.matchers.matchers}


def _selectors(expr: Any, found: _Found) -> Iterator[Any]:
    kinds = promql_parser
    match expr:
        case kinds.VectorSelector():
            yield expr
        case kinds.MatrixSelector():
            yield from _selectors(expr.vector_selector, found)
        case kinds.AggregateExpr():
            found.grouped |= set(expr.modifier.labels if expr.modifier else ())
            yield from _selectors(expr.expr, found)
        case kinds.Call():
            for one in expr.args:
                yield from _selectors(one, found)
        case kinds.BinaryExpr():
            yield from _selectors(expr.lhs, found)
            yield from _selectors(expr.rhs, found)
        case kinds.ParenExpr() | kinds.UnaryExpr() | kinds.SubqueryExpr():
            yield from _selectors(expr.expr, found)
        case kinds.NumberLiteral() | kinds.StringLiteral():
            pass
        case _:
            raise TypeError(f"{type(expr).__name__} is not known here")
