"""The newest dead letters, without the bytes that were no event, and sending one again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stream.broker.dead_letters import Replayed, read_letters, replay_letters, the_letter
from upwell.codec import parse_dead_letter
from upwell.errors import InvalidEventError
from upwell.recommendations import DeadLetter
from upwell.system.lru import Lru

__all__ = ["MOST_LETTERS", "Letters"]

MOST_LETTERS = 50


class Letters:
    """`take` and `newest` belong to one thread; `replay` blocks, and may be called from any."""

    def __init__(self, client: Mapping[str, Any], prefix: str) -> None:
        self._client = client
        self._prefix = prefix
        self._newest: Lru[str, DeadLetter] = Lru(MOST_LETTERS)

    def take(self, value: bytes) -> None:
        """A record of `dead_letters`. What is none is left."""
        try:
            letter = parse_dead_letter(value)
        except InvalidEventError:
            return
        self._newest[letter.place] = letter

    def newest(self) -> list[dict[str, Any]]:
        """The latest first. No bytes, no key, no user: they may say who somebody is."""
        return [
            {
                "place": one.place,
                "topic": one.topic,
                "reason": one.reason,
                "detail": one.detail,
                "ts": one.ts,
                "replayed_at": one.replayed_at,
            }
            for one in sorted(self._newest.values(), key=lambda one: -one.ts)
        ]

    def replay(self, place: str, now_ms: int) -> Replayed:
        """Send it to its topic once more. Raises `LetterError`, `BrokerError`."""
        letter = the_letter(read_letters(self._client, self._prefix), place)
        return replay_letters(self._client, self._prefix, [letter], now_ms)
