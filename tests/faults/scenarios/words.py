"""Faults where somebody's word is carried out: an entry of the audit log, what comes of it, an
erasure. As those of `tests.faults.inject`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from tests.faults.inject import around_topic, die
from upwell.events import Topic

__all__ = ["DECISIONS"]


def _before_entries(now: Callable[[], bool]) -> None:
    """Somebody's word was ruled on, and no entry of it is out."""
    around_topic(now, Topic.AUDIT, before=lambda one: False)


def _after_entries(now: Callable[[], bool]) -> None:
    """The entry is out, what stands after it is not."""
    around_topic(now, Topic.AUDIT, before=lambda one: one.topic is Topic.AUDIT)


def _within_erasure(now: Callable[[], bool]) -> None:
    """The state is gone and learn knows of it, the ledger does not."""
    around_topic(now, Topic.ERASURES, before=lambda one: one.topic is not Topic.ERASURES)


def _before_confirmation(now: Callable[[], bool]) -> None:
    """No checkpoint has the user any more, and nobody was told."""
    from stream.learn.erase import confirmations as confirm

    def stop(options: Any, owed: Any, checkpoints: int, at: int) -> Any:
        if owed and now():
            die()
        return confirm(options, owed, checkpoints, at)

    patch("stream.learn.loop.confirmations", stop).start()


DECISIONS: dict[str, Callable[[Callable[[], bool]], None]] = {
    "serve dies before an audit entry": _before_entries,
    "serve dies between an audit entry and what it comes to": _after_entries,
    "serve dies within an erasure": _within_erasure,
    "learn dies before a confirmation": _before_confirmation,
}
"""Where somebody's word is carried out: no row of their own, for events never come by there."""
