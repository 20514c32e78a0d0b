"""`upwell replay`: a log into the topics of a running engine, with a progress bar.

Each record is judged as the engine will judge it, on its way: what will be a dead letter is sent
all the same, counted by its reason, and told when the first of its kind comes.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from stream.broker.incarnations import require_topics
from stream.broker.lag import INPUT_TOPICS, Lag
from stream.chain.validate import decode
from stream.replay.log import BadLine, LogRecord, read_log
from stream.replay.player import Pace, Player
from stream.replay.progress import StreamProgress
from upwell.client import client_options
from upwell.errors import LogError
from upwell.recommendations import DeadLetter
from upwell.settings import Settings

__all__ = ["Judge", "check_share", "play_log"]

LOOK_SECONDS = 0.5


class Judge:
    """Counts the dead letters of a log by topic and reason; tells the first of each kind."""

    def __init__(self, on_first: Callable[[int, str], None]) -> None:
        self._on_first = on_first
        self.letters: Counter[str] = Counter()

    def look(self, lines: Iterable[LogRecord | BadLine]) -> Iterator[LogRecord | BadLine]:
        """The same lines, looked at on their way."""
        for line in lines:
            if isinstance(line, LogRecord):
                now_ms = time.time_ns() // 1_000_000
                event = decode(line.topic, 0, line.line, line.value, now_ms)
                if isinstance(event, DeadLetter):
                    kind = f"{line.topic}: {event.reason}"
                    self.letters[kind] += 1
                    if self.letters[kind] == 1:
                        self._on_first(line.line, f"{kind}: {event.detail}")
            yield line


def play_log(settings: Settings, path: Path, pace: Pace, console: Console) -> dict[str, Any]:
    """Send all of the log; returns what was sent, dead_letters by topic and reason among it. Raises
    `LogError`, `BrokerError`.
    """
    total = sum(1 for _ in read_log(path))
    options = client_options(settings.kafka)
    require_topics(options, settings.kafka.prefix, INPUT_TOPICS)
    started = time.monotonic()

    def warn(what: str) -> None:
        console.print(f"[yellow]{escape(f'{path.name}: {what}')}[/]", highlight=False)

    def warn_of(line: int, what: str) -> None:
        warn(f"line {line:,}: a dead letter, more of its kind are only counted: {what}")

    judge = Judge(warn_of)
    with (
        Lag(options, settings.kafka.prefix) as lag,
        StreamProgress(console, path.name, total) as progress,
    ):
        looked = 0.0

        def tick() -> None:
            nonlocal looked
            if time.monotonic() - looked >= LOOK_SECONDS:
                looked = time.monotonic()
                progress.show(player.sent, lag.behind(), None, judge.letters.total())

        with Player(options, settings.kafka.prefix, lambda line: warn(str(line)), tick) as player:
            player.play(judge.look(read_log(path)), pace)
        progress.show(total, lag.behind(), None, judge.letters.total())
    seconds = time.monotonic() - started
    return {
        "sent": player.sent,
        "bad_lines": player.bad,
        "dead_letters": dict(judge.letters),
        "events_per_s": round(player.sent / seconds, 1),
        "wall_s": round(seconds, 1),
    }


def check_share(result: Mapping[str, Any], most: float) -> None:
    """Raises `LogError` where more than the share `most` of a log's lines were no events: dead
    letters, or lines that could not be sent.
    """
    letters: Mapping[str, int] = result["dead_letters"]
    wrong = sum(letters.values()) + result["bad_lines"]
    lines = result["sent"] + result["bad_lines"]
    if wrong > most * lines:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in letters.items())
        raise LogError(
            f"{wrong:,} of {lines:,} lines were no events ({result['bad_lines']:,} bad lines; dead "
            f"letters: {kinds or 'none'}); --max-dead-letters allows {most:g}; "
            "`upwell dead-letters list` shows those that were sent"
        )
