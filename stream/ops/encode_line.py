"""The doctor's line on who encodes, by what the workers said last."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["encode_line"]

SILENT_MS = 10_000
WAITS_SECONDS = 10.0


def encode_line(by: str, figures: Iterable[dict[str, Any]], now_ms: int) -> str:
    """One line for `doctor`. by: UPWELL_ENCODED_BY. figures: of `metrics`, oldest first. now_ms:
    UTC ms.
    """
    last = {one["instance"]: one for one in figures}
    there = [
        one
        for one in last.values()
        if now_ms - one["at"] <= SILENT_MS and not one.get("leaves", False)
    ]
    workers = [one for one in there if one["role"] == "encode"]
    names = ", ".join(_said(one) for one in workers)
    if by == "serve":
        idle = f"; {names} wait in vain: set UPWELL_ENCODED_BY" if workers else ""
        return f"{'warning: ' if workers else ''}each serve worker by itself{idle}"
    late = [text for one in there for text in _waits(one)]
    if not workers:
        none = (
            "serve leaves it to encode workers, and none has been heard lately: `upwell run "
            "--roles encode` starts one"
        )
        return f"warning: {'; '.join([none, *late])}"
    return f"{'warning: ' if late else ''}{'; '.join([names, *late])}"


def _said(one: dict[str, Any]) -> str:
    return f"{one['instance']} ({sum(one['encode']['texts'].values()):,} texts)"


def _waits(one: dict[str, Any]) -> list[str]:
    """Of a serve worker what it says of waiting."""
    return [
        f"{one['instance']} has waited for {seconds:,.0f} s with {chain}'"
        for chain, seconds in one.get("encode_waits", {}).items()
        if seconds >= WAITS_SECONDS
    ]
