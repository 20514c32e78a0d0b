"""Settings of the other uses than lists."""

from __future__ import annotations

from dataclasses import dataclass

from upwell.settings.values import setting

__all__ = ["UseSettings"]


@dataclass(frozen=True, slots=True)
class UseSettings:
    """How each of them decides."""

    desk_target: float = setting(
        0.95,
        "of the desk's answers that go out alone, so many are to be right; the rest is handed over "
        "(docs/uses/support.md)",
        "operator",
        "share",
        variable="DESK_TARGET",
        above=0.5,
        below=0.999,
    )
