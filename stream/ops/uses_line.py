"""What the processes of the other uses said last."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stream.uses.run import USES

__all__ = ["uses_line"]

SILENT_MS = 10_000


def uses_line(figures: Iterable[dict[str, Any]], now_ms: int) -> str:
    """One line for `doctor`. figures: of `metrics`, oldest first. now_ms: UTC ms."""
    last = {one["role"]: one for one in figures if one["role"] in USES}
    if not last:
        return f"none has been heard lately: `upwell run --roles {'` or `'.join(USES)}` starts one"
    said = [_said(name, last[name], now_ms) for name in USES if name in last]
    silent = any(now_ms - one["at"] > SILENT_MS for one in last.values())
    return ("warning: " if silent else "") + "; ".join(said)


def _said(name: str, one: dict[str, Any], now_ms: int) -> str:
    use, seconds = one["use"], max(0, now_ms - one["at"]) / 1000
    told = f"{name} took {use['events']:,} events, {use['letters']:,} of them dead letters"
    return told if seconds * 1000 <= SILENT_MS else f"{told}, and is silent for {seconds:,.0f} s"
