"""Policies to value on a log of shown lists: each says what it would have shown, knowing only what
came before.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Literal, Protocol

from stream.chain.catalogue import vectors_of
from stream.replay.log import LogRecord
from upwell.events import Click, Event, Impression, Item, Review
from upwell.settings import Settings

__all__ = ["Policy", "Popularity", "open_policy"]


class Policy(Protocol):
    """`see` takes every good line in the log's order; `items_for` gives what it would show now in
    place of an impression, best first.

    It may give fewer items than the impression has places. Neither changes what the other policies
    see.
    """

    def see(self, line: LogRecord, event: Event) -> None: ...

    def items_for(self, impression: Impression) -> tuple[str, ...]: ...


@contextmanager
def open_policy(name: Literal["popularity", "upwell"], settings: Settings) -> Iterator[Policy]:
    """The policy of this name; `upwell` with the encoder of the settings. Raises `EncoderError`
    where that does not load.
    """
    if name == "popularity":
        yield Popularity()
        return
    from encoders.load import (
        load_encoder,  # a language model and a learner: nobody else waits for them
    )
    from encoders.pictures import load_pictures
    from stream.replay.inline_policy import Upwell

    own = settings.encoder
    encoder = load_encoder(
        own.model, device=own.device, engine=own.engine, cache_entries=own.cache_entries
    )
    with closing(encoder), ExitStack() as stack:
        reads = {vectors_of(encoder.revision)}
        pictures = load_pictures(settings.pictures, own, encoder.dimension, reads)
        if pictures is not None:
            stack.enter_context(closing(pictures))
        yield Upwell(settings, encoder, pictures)


class Popularity:
    """The items with most clicks and reviews so far that the user has not met; of equals the one
    met first.
    """

    def __init__(self) -> None:
        self._events: Counter[str] = Counter()
        self._had: dict[str, set[str]] = defaultdict(set)
        self._deleted: set[str] = set()

    def see(self, line: LogRecord, event: Event) -> None:
        if isinstance(event, Click | Review):
            self._events[event.item_id] += 1
            self._had[event.user_id].add(event.item_id)
        elif isinstance(event, Item):
            (self._deleted.add if event.deleted else self._deleted.discard)(event.item_id)

    def items_for(self, impression: Impression) -> tuple[str, ...]:
        out = self._had[impression.user_id] | self._deleted
        best = self._events.most_common(len(impression.item_ids) + len(out))
        return tuple(item_id for item_id, _ in best if item_id not in out)[
            : len(impression.item_ids)
        ]
