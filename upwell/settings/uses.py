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
    watch_false_alarms: float = setting(
        1.0,
        "false alarms that the opinion watch may raise, over all topics and kinds "
        "(docs/uses/opinion.md)",
        "operator",
        "a day",
        variable="WATCH_FALSE_ALARMS",
        above=0.001,
        below=1_000.0,
    )
    watch_window: float = setting(
        24.0,
        "of posts that it compares the newest ones with; older ones fade",
        "operator",
        "hours",
        variable="WATCH_WINDOW",
        above=0.1,
        below=2_160.0,
    )
    watch_times: float = setting(
        1.25,
        "a topic's share that has not risen by more than this is no burst",
        "operator",
        "times",
        variable="WATCH_TIMES",
        above=1.0,
        below=100.0,
    )
    watch_points: float = setting(
        0.1,
        "a topic's mean sentiment (-1 to 1) that has not moved by more than this is no turn",
        "operator",
        "points",
        variable="WATCH_POINTS",
        above=0.0,
        below=2.0,
    )
    watch_topics: int = setting(
        100,
        "that it holds at most; a larger new one takes the place of the smallest",
        "operator",
        "topics",
        variable="WATCH_TOPICS",
        above=1,
        below=1_000,
    )
    watch_quiet: str | None = setting(
        None,
        "in which no alert is sent; those of that time go out when it ends",
        "operator",
        "hours of the day, UTC, as 22-6",
        variable="WATCH_QUIET",
    )
