"""Records of workers as they stand on `metrics`, as far as `upwell top` reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from stream.metrics.histogram import EVENTS, SECONDS, Histogram

__all__ = ["QUALITY", "SHOWN", "learn", "packed", "serve"]

SHARES = {"exposure": 0.25, "catalogue": 0.5, "interactions": 0.0, "parity": 0.5, "ratio": None}
SHOWN: dict[str, Any] = {
    "at": 5,
    "lists": 1_234,
    "gini": 0.75,
    "coverage": 0.4,
    "groups": {"popularity": {"tail": SHARES}, "category": {"[red]Krimi\x1b[31m": SHARES}},
    "users": {"15+": {"lists": 1.0, "divergence": 0.125}, "0": {"lists": 0.0, "divergence": None}},
    "bounds": {},
}
QUALITY = {"activity": {"0": {"ndcg10": None, "hr10": None}, "15+": {"ndcg10": 0.05, "hr10": 0.1}}}


def histogram(bounds: Sequence[float], *values: float) -> dict[str, Any]:
    found = Histogram(bounds)
    for value in values:
        found.observe(value)
    return found.report()


def serve(
    at: int, name: str = "serve-0", fresh: Sequence[float] = (), events: int = 0, **more: Any
) -> dict[str, Any]:
    """at: UTC ms. fresh: seconds of each list since the start. events: in micro-batches of 4."""
    return {
        "instance": name,
        "role": "serve",
        "engine": "shop-1",
        "at": at,
        "counts": {"events": events, "lists": len(fresh), "items": events // 4},
        "freshness": histogram(SECONDS, *fresh),
        "batches": {"users": histogram(EVENTS, *[4.0] * (events // 4))},
        "process": {"resident_bytes": 512 << 20, "cpu_seconds": at / 2_000},
        "lag": {},
        "dead_letters": {"missing_field": 0, "truncated": 0},
        "model_version": "1-abc",
        "model_examples": 0,
        "model_at": 0,
        "hot_users": 0,
        "items": 0,
        **more,
    }


def learn(at: int, **more: Any) -> dict[str, Any]:
    return {
        "instance": "learn",
        "role": "learn",
        "engine": "shop-1",
        "at": at,
        "model_examples": 0,
        "candidates": {"promote": 0, "superseded": 0, "roll_back": 0},
        "ruled": None,
        "figures": {"targets": {"all": 0}, "running": {}},
        "process": {"resident_bytes": 300 << 20, "cpu_seconds": at / 1_000},
        "items": 0,
        **more,
    }


def packed(record: dict[str, Any]) -> bytes:
    return orjson.dumps(record)
