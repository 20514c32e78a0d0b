"""`upwell replay`: a log into the topics of a running engine, with a progress bar."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from stream.broker.lag import Lag
from stream.replay.log import BadLine, read_log
from stream.replay.player import Pace, Player
from stream.replay.progress import StreamProgress
from upwell.client import client_options
from upwell.settings import Settings

__all__ = ["play_log"]

LOOK_SECONDS = 0.5


def play_log(settings: Settings, path: Path, pace: Pace, console: Console) -> dict[str, Any]:
    """Send all of the log; returns what was sent. Raises `LogError`, `BrokerError`."""
    total = sum(1 for _ in read_log(path))
    options = client_options(settings.kafka)
    started = time.monotonic()

    def on_bad(line: BadLine) -> None:
        console.print(f"[yellow]{escape(f'{path.name}: {line}')}[/]", highlight=False)

    with (
        Lag(options, settings.kafka.prefix) as lag,
        StreamProgress(console, path.name, total) as progress,
    ):
        looked = 0.0

        def tick() -> None:
            nonlocal looked
            if time.monotonic() - looked >= LOOK_SECONDS:
                looked = time.monotonic()
                progress.show(player.sent, lag.behind(), None)

        with Player(options, settings.kafka.prefix, on_bad, tick) as player:
            player.play(read_log(path), pace)
        progress.show(total, lag.behind(), None)
    seconds = time.monotonic() - started
    return {
        "sent": player.sent,
        "bad_lines": player.bad,
        "events_per_s": round(player.sent / seconds, 1),
        "wall_s": round(seconds, 1),
    }
