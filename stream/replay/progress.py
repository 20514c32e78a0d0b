"""One line of progress that fits any width: how much of how many, how fast, what else there is to
say, how long it still takes. Where there is no terminal it is a plain line now and then.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.text import Text

__all__ = ["Moved", "Standing", "StreamProgress", "progress_line", "unwatched", "watched"]

LEAST_BAR, MOST_BAR = 8, 30
PLAIN_SECONDS = 10.0
"""Between two lines where there is no terminal."""

Moved = Callable[[str, int, int | None], None]
"""Told of some work: what (with its unit), how much is done, of how much; None where nobody
knows.
"""


def unwatched(what: str, done: int, total: int | None) -> None:
    """For whoever does not look."""


@dataclass(slots=True)
class Standing:
    """How some work stands. seconds: since its beginning. state: more words."""

    name: str
    total: int | None
    done: int = 0
    seconds: float = 0.0
    state: str = ""

    @property
    def rate(self) -> float:
        """A second, since the beginning."""
        return self.done / self.seconds if self.seconds > 0.0 else 0.0

    @property
    def left(self) -> float | None:
        """Seconds that the rest takes at this rate; None where that cannot be told, 0 at the
        end.
        """
        if self.total is None:
            return None
        if self.done >= self.total:
            return 0.0
        return (self.total - self.done) / self.rate if self.rate else None


def progress_line(one: Standing, columns: int) -> Text:
    """columns: what it may take; of what does not fit the bar goes first, then the rate, then the
    other words.
    """
    count = f"{one.done}" if one.total is None else f"{one.done}/{one.total}"
    rate = f"{one.rate:,.0f}/s" if one.seconds else ""
    parts = [part for part in (one.name, count, rate, one.state, _time(one)) if part]
    room = columns - len("  ".join(parts)) - 2
    if one.total and room >= LEAST_BAR:
        width = min(room, MOST_BAR)
        full = width * min(one.done, one.total) // one.total
        bar = Text("━" * full, "cyan").append("╌" * (width - full), "dim")
        return Text("  ").join([Text(parts[0]), bar, *map(Text, parts[1:])])
    for spare in (rate, one.state):
        if len("  ".join(parts)) > columns and spare in parts:
            parts.remove(spare)
    return Text("  ".join(parts), overflow="fold")


def _time(one: Standing) -> str:
    left = one.left
    if left:
        return f"{_clock(left)} left"
    return _clock(one.seconds)


def _clock(seconds: float) -> str:
    return str(timedelta(seconds=int(seconds)))


class _Line:
    """`one` on `console` until it is closed."""

    def __init__(self, console: Console, one: Standing, clock: Callable[[], float]) -> None:
        self._console = console
        self._one = one
        self._clock = clock
        self._began = clock()
        self._said = self._began
        self._live = console.is_terminal and not console.is_dumb_terminal
        self._screen = Live(console=console, get_renderable=self._text, refresh_per_second=4)
        if self._live:
            self._screen.start()

    def moved(self, done: int, state: str = "") -> None:
        now = self._clock()
        self._one.done, self._one.state, self._one.seconds = done, state, now - self._began
        if not self._live and now - self._said >= PLAIN_SECONDS:
            self._said = now
            self._console.print(self._text())

    def close(self) -> None:
        if self._live:
            self._screen.stop()
        else:
            self._console.print(self._text())

    def _text(self) -> Text:
        return progress_line(self._one, self._console.width)


class StreamProgress:
    """A log on its way, on `console`. clock: monotonic seconds."""

    def __init__(
        self,
        console: Console,
        name: str,
        total: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console
        self._one = Standing(name, total)
        self._clock = clock
        self._line: _Line | None = None

    def __enter__(self) -> StreamProgress:
        self._line = _Line(self._console, self._one, self._clock)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._line is not None
        self._line.close()

    def show(self, done: int, behind: int, hr10: float | None, letters: int = 0) -> None:
        """done: events served. behind: appended but not served yet. hr10: the running HR@10 of the
        learner's own tests. letters: dead letters so far.
        """
        state = [f"lag {max(behind, 0):,}"]
        if hr10 is not None:
            state.append(f"HR@10 {hr10:.3f}")
        if letters:
            state.append(f"dead letters {letters:,}")
        assert self._line is not None
        self._line.moved(max(min(done, self._one.total or 0), 0), "  ".join(state))

    def finish(self, hr10: float | None) -> None:
        """All is through. hr10: hits among the first ten, of the targets."""
        self.show(self._one.total or 0, 0, hr10)


@contextmanager
def watched(console: Console, clock: Callable[[], float] = time.monotonic) -> Iterator[Moved]:
    """A line on `console` for each kind of work that is told, one after the other; nothing where
    none is.
    """
    line: _Line | None = None
    shown = ""

    def moved(what: str, done: int, total: int | None) -> None:
        nonlocal line, shown
        if line is None or what != shown:
            if line is not None:
                line.close()
            line, shown = _Line(console, Standing(what, total), clock), what
        line.moved(done)

    try:
        yield moved
    finally:
        if line is not None:
            line.close()
