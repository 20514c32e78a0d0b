"""Dead letters as they stand on their topic, and sending them again after a fix.

A letter is sent to its topic and then marked, under its own key, as replayed: a second replay sends
nothing. A crash in between leaves it unmarked, so it is sent once more; what is an event by then is
known by its event_id (docs/operations.md).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kafka import KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from stream.broker.feeds import read_partition
from stream.broker.lag import INPUT_TOPICS
from stream.broker.topics import no_broker
from stream.chain.wire import first_appended_header
from upwell.codec import dead_letter_value, parse_dead_letter
from upwell.connection import check_login
from upwell.errors import BrokerError, LetterError
from upwell.events import Topic
from upwell.recommendations import DeadLetter
from upwell.uses.tables import SHAPES

__all__ = ["Filter", "Replayed", "chosen", "read_letters", "replay_letters", "the_letter"]

SEND_TIMEOUT_S = 30


@dataclass(frozen=True, slots=True)
class Filter:
    """reason, topic: without them, any."""

    reason: str | None = None
    topic: str | None = None

    def __call__(self, letters: Iterable[DeadLetter]) -> list[DeadLetter]:
        """Those of `letters` that it lets through."""
        return [
            one
            for one in letters
            if self.reason in (None, one.reason) and self.topic in (None, one.topic)
        ]


@dataclass(frozen=True, slots=True)
class Replayed:
    """sent: places of the letters that went to their topics. skipped: the place of each of the
    others, and why it was not sent.
    """

    sent: Sequence[str]
    skipped: Mapping[str, str]


def read_letters(client: Mapping[str, Any], prefix: str) -> dict[str, DeadLetter]:
    """Those that are kept, by their places: of each the newest record, none where that has no
    value. Raises `BrokerError`.
    """
    topic = prefix + Topic.DEAD_LETTERS
    letters: dict[str, DeadLetter] = {}
    check_login(client)
    try:
        for record in read_partition(client, TopicPartition(topic, 0), 0):
            if record.value is not None:
                letter = parse_dead_letter(record.value)
                letters[letter.place] = letter
            elif record.key is not None:
                letters.pop(record.key.decode(errors="replace"), None)
    except KafkaError as exc:
        raise no_broker(client, exc) from exc
    return letters


def the_letter(letters: Mapping[str, DeadLetter], place: str) -> DeadLetter:
    """Raises `LetterError` where there is none."""
    if (letter := letters.get(place)) is None:
        raise LetterError(
            f"there is no dead letter {place}: `upwell dead-letters list` shows those there are"
        )
    return letter


def chosen(
    letters: Mapping[str, DeadLetter], places: Collection[str], only: Filter
) -> list[DeadLetter]:
    """Those at `places`, or all that wait where none is named; of them what `only` lets through.
    Raises `LetterError`.
    """
    if places:
        return only(the_letter(letters, place) for place in dict.fromkeys(places))
    return [letter for letter in only(letters.values()) if letter.replayed_at is None]


def replay_letters(
    client: Mapping[str, Any], prefix: str, letters: Sequence[DeadLetter], now_ms: int
) -> Replayed:
    """Send each to its topic, with the key that it had, and mark it.

    `now_ms`: UTC ms. Raises `BrokerError`.
    """
    sent: list[str] = []
    skipped = {letter.place: why for letter in letters if (why := _unfit(letter)) is not None}
    try:
        with KafkaProducer(acks="all", **client) as producer:
            for letter in letters:
                if letter.place not in skipped:
                    _send(producer, prefix, letter, now_ms)
                    sent.append(letter.place)
    except KafkaError as exc:
        raise BrokerError(
            f"{len(sent)} of {len(letters)} letters were sent, then the broker refused: "
            f"{exc}; replay again"
        ) from exc
    return Replayed(sent, skipped)


def _send(producer: KafkaProducer, prefix: str, letter: DeadLetter, now_ms: int) -> None:
    """The bytes, then the mark: in this order nothing is lost. They were first appended when they
    were, so that who was forgotten since stays so; an older letter knows when it became one.
    """
    first = letter.ts if letter.appended is None else letter.appended
    headers = list(first_appended_header(first))
    producer.send(prefix + letter.topic, key=letter.key, value=letter.raw, headers=headers).get(
        timeout=SEND_TIMEOUT_S
    )
    mark = dead_letter_value(replace(letter, raw=b"", key=None, replayed_at=now_ms))
    producer.send(
        prefix + Topic.DEAD_LETTERS, key=letter.place.encode(), value=mark, partition=0
    ).get(timeout=SEND_TIMEOUT_S)


def _unfit(letter: DeadLetter) -> str | None:
    """Why a letter is not sent; None where it can be."""
    if letter.replayed_at is not None:
        return "it was replayed already; where it was still no event it is a new letter"
    if letter.cut:
        return (
            "only the first of its bytes were kept: produce the whole record again from where "
            "it came"
        )
    if letter.topic not in (*INPUT_TOPICS, *SHAPES):
        return (
            f"apps do not write to the topic {letter.topic!r:.80}: who else writes to dead_letters?"
        )
    return None
