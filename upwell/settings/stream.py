"""Settings of a serve worker: what it does with events, and how much it keeps."""

from __future__ import annotations

from dataclasses import dataclass

from upwell.settings.values import setting

__all__ = ["StreamSettings"]


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """What a serve worker does with events, and how much it keeps."""

    batch_events: int = setting(
        256, "in a micro-batch at most", "tuner", "events", above=1, below=10_000
    )
    batch_ms: int = setting(
        0, "the first event of a micro-batch waits for more", "tuner", "ms", above=0, below=10_000
    )
    list_k: int = setting(
        10,
        "in a list, unless a request asks for more or fewer",
        "tuner",
        "entries",
        above=1,
        below=100,
    )
    history: int = setting(
        200, "of a user that are kept, the latest", "tuner", "events", above=50, below=1_000
    )
    had: int = setting(
        10_000,
        "a user had and is not shown again: the latest so many are remembered",
        "tuner",
        "items",
        above=100,
        below=1_000_000,
    )
    returns: bool = setting(
        True,
        "an item that a user bought twice or more may stand in lists again, once their usual time "
        "between two purchases of it has passed (docs/events.md)",
        "tuner",
    )
    fatigue: bool = setting(
        True,
        "items that were shown to a user and left unanswered stand lower in their lists, less so "
        "with time (docs/events.md)",
        "tuner",
    )
    exposure: str | None = setting(
        None,
        "the least share of exposure that groups of items get in a worker's lists, at the least "
        "loss of score (docs/fairness.md)",
        "tuner",
        "popularity:tail>=0.2, with a semicolon between two",
    )
    hot_users: int = setting(
        50_000,
        "whose state a worker holds in memory; that of the others is read from the store",
        "operator",
        "users",
        above=1,
    )
    catalogue_items: int = setting(
        200_000,
        "in the catalogue at most; new ones beyond are dead letters",
        "operator",
        "items",
        above=1,
    )
    dedup_window: int = setting(
        100_000,
        "whose ids a worker knows again as duplicates; 0 is off",
        "operator",
        "events",
        above=0,
    )
    bounce_ms: int = setting(
        500, "a view that ended sooner is a bounce and is dropped; 0 is off", "tuner", "ms", above=0
    )
    bot_events: int = setting(
        0,
        "a user with more, by the events' own time, is a bot and is dropped; 0 is off",
        "tuner",
        "events a minute",
        above=0,
    )
    approvals: int = setting(
        0,
        "beside who says an override have to approve it (docs/overrides.md); 0 is off",
        "operator",
        "people",
        above=0,
        below=5,
    )
    review_teaches: bool = setting(
        False,
        "what people banned puts what is like it before a person (docs/review.md)",
        "operator",
    )
    explain: float = setting(
        0.0,
        "that what lists were made of is kept, so that `upwell explain` makes them again "
        "(docs/explain.md); 0 is off",
        "operator",
        "hours",
        above=0.0,
        below=8_760.0,
    )
    instance: str = setting(
        "serve-0", "a worker's own name in the group, the same after a restart", "operator"
    )
