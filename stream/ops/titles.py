"""What the serve workers say of the catalogue's titles: how much of them the encoder knows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from encoders import Tokens
from stream.broker.feeds import Broadcast
from stream.metrics.record import parse_record
from upwell.client import client_options
from upwell.events import Topic
from upwell.settings import KafkaSettings

__all__ = ["newest_figures", "title_line"]

LAST = 100  # records of `metrics`, where each worker has one a second


def title_line(figures: Iterable[dict[str, Any]]) -> str:
    """One line for `doctor`. figures: of workers, oldest first; the last that counted titles
    holds.
    """
    seen = Tokens()
    for one in figures:
        if one.get("title_tokens"):
            seen = Tokens(one["title_tokens"], one["unknown_title_tokens"])
    if not seen.total:
        return "no worker has counted the catalogue's words lately"
    return f"warning: {seen.advice}" if seen.advice else f"{seen.share:.1%} of their words unknown"


def newest_figures(kafka: KafkaSettings) -> list[dict[str, Any]]:
    """The last records of `metrics`, oldest first; none where there is no such topic. Raises
    `BrokerError`.
    """
    feed = Broadcast(kafka.prefix + Topic.METRICS, client_options(kafka))
    feed.start(last=LAST)
    try:
        records = [parse_record(one.value or b"") for one in feed.drain()]
    finally:
        feed.stop()
    return [one for one in records if one is not None]
