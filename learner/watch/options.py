"""What a watch is asked for."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Options"]

_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Options:
    """window_ms: what counts as lately. false_alarms: a day, over all topics and kinds. times: a
    share that has not risen by more than this is no burst. points: a mood that has not moved by
    more than this is no turn. topics: at most. quiet: hours of the day, UTC, from and to. sample,
    recent: posts that are kept of the window, and newest ones.
    """

    window_ms: int = _DAY_MS
    false_alarms: float = 1.0
    times: float = 1.25
    points: float = 0.1
    topics: int = 100
    quiet: tuple[int, int] | None = None
    sample: int = 4_096
    recent: int = 768

    @property
    def epoch_ms(self) -> int:
        """How often centres move and bounds are drawn anew."""
        return max(1, self.window_ms // 32)

    def mass(self, elapsed_ms: int) -> float:
        """False alarms that this time allows, half of all: the other half is for bounds that do
        not hold. At most .01, so that no alarm is raised without evidence, however long nobody
        wrote.
        """
        return min(0.01, 0.5 * self.false_alarms * max(0, elapsed_ms) / _DAY_MS)

    def risk(self, topics: int) -> float:
        """Of each bound of so many topics: they have three each, and one that does not hold may
        cost two alarms.
        """
        an_epoch = self.false_alarms * self.epoch_ms / _DAY_MS
        return min(0.05, 0.5 * an_epoch / (6.0 * max(1, topics)))
