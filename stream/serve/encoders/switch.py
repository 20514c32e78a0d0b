"""Which encoder this worker has: at its start the one in force, later the one that comes into
force, loaded beside the one that goes on.

Each of the two chains changes over by itself between two of its batches, so no batch is read by
two, and no entry names another encoder than made its vector. It knows nothing about Kafka.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Protocol

from encoders import Gently, in_bulk
from encoders.load import model_revision
from stream.broker.encoders import Lineage, Named
from stream.chain.catalogue import vectors_of
from upwell.errors import EncoderError, SettingsError, UpwellError
from upwell.ports import Encoder
from upwell.settings import EncoderSettings
from upwell.system.threads import start_thread
from upwell.values import Vector

__all__ = [
    "Closable",
    "Current",
    "EncoderSwitch",
    "encoder_in_force",
    "model_in_force",
    "named",
]

log = logging.getLogger("upwell.serve")


class Closable(Encoder, Protocol):
    """An encoder with threads of its own."""

    def close(self) -> None: ...


def model_in_force(settings: EncoderSettings, lineage: Lineage) -> str:
    """As `encoder_in_force`, without a look into a model where there is nothing to compare."""
    if lineage.in_force is None:
        return settings.model
    return encoder_in_force(settings, lineage).model


def encoder_in_force(settings: EncoderSettings, lineage: Lineage) -> Named:
    """That of the settings, unless another one took its place on these topics.

    Raises `SettingsError` where the settings name one that never was in force here, `EncoderError`.
    """
    own = named(settings.model)
    found = lineage.in_force
    if found is None or own.vectors == found.vectors:
        return own
    if own.vectors not in lineage.known:
        raise SettingsError(
            f"the encoder in force on these topics is {found.model} ({found.vectors}), and this "
            f"one's, {own.model} ({own.vectors}), never was: set UPWELL_ENCODER to {found.model}, "
            "put the other one into service (`upwell encoder try`), or start afresh with another "
            "UPWELL_PREFIX and UPWELL_DATA"
        )
    return found


def named(model: str) -> Named:
    """A model on this machine, a folder by its whole path. Raises `EncoderError`."""
    path = Path(model).expanduser()
    where = str(path.resolve()) if path.is_dir() else model
    return Named(vectors_of(model_revision(model)), where)


class Current:
    """The encoder of one thread, which alone calls it and sets `behind`."""

    def __init__(self, encoder: Encoder) -> None:
        self.behind = encoder

    @property
    def dimension(self) -> int:
        return self.behind.dimension

    @property
    def revision(self) -> str:
        return self.behind.revision

    def encode(self, texts: Sequence[str]) -> Vector:
        """As the encoder behind."""
        return self.behind.encode(texts)


class EncoderSwitch:
    """users, items: of the two chains' threads. newest: that of `users`. gently: whether that of
    the items leaves a processor free.
    """

    def __init__(
        self,
        first: Closable,
        load_model: Callable[[str], Closable],
        gently: Gently = None,
    ) -> None:
        self.newest, self._gently = first, gently
        self.users, self.items = Current(first), Current(in_bulk(first, gently))
        self._items_of = first
        self._load_model = load_model
        self._wanted = vectors_of(first.revision)
        self._loaded: SimpleQueue[Closable] = SimpleQueue()
        self._left: SimpleQueue[Closable] = SimpleQueue()

    @property
    def settled(self) -> bool:
        """The users' chain has what is wanted."""
        return vectors_of(self.newest.revision) == self._wanted

    def want(self, wanted: Named) -> None:
        """Loads it in the background, unless it is there. On the users' thread."""
        if wanted.vectors != self._wanted:
            self._wanted = wanted.vectors
            if not self.settled:
                start_thread("encoder-load", partial(self._load, wanted))

    def take_over(self) -> bool:
        """Whether the users' chain has another encoder from here on. On its thread."""
        before = self.newest
        while True:
            try:
                found = self._loaded.get_nowait()
            except Empty:
                return self.newest is not before
            if vectors_of(found.revision) != self._wanted or self.settled:
                found.close()  # another one was named meanwhile
                continue
            log.info("encoder %s in place of %s", found.revision, self.newest.revision)
            self._left.put(self.newest)
            self.users.behind = self.newest = found

    def follow(self) -> None:
        """The items' chain has what the users' has, and nobody has the one before. On its thread,
        between batches.
        """
        if (newest := self.newest) is self._items_of:
            return
        self.items.behind, self._items_of = in_bulk(newest, self._gently), newest
        self._close_left(newest)

    def close(self) -> None:
        """All of them, once no chain runs."""
        self._close_left(None)
        self.newest.close()

    def _close_left(self, kept: Closable | None) -> None:
        """All but the one that this thread has, which the other one may have left just now."""
        for _ in range(self._left.qsize()):
            one = self._left.get()
            if one is kept:
                self._left.put(one)
            else:
                one.close()

    def _load(self, wanted: Named) -> None:
        """What cannot be loaded is said: the worker goes on with what it has."""
        try:
            found = self._load_model(wanted.model)
            if (vectors := vectors_of(found.revision)) != wanted.vectors:
                found.close()
                raise EncoderError(f"{wanted.model} is {vectors} here")
            if found.dimension != self.newest.dimension:
                found.close()
                raise EncoderError(f"{wanted.model} makes vectors of {found.dimension} numbers")
        except UpwellError as exc:
            log.error(
                "the encoder in force, %s (%s), cannot be had: %s; this worker goes on with %s: "
                "put the model there and start it again, or `upwell encoder rollback`",
                wanted.model,
                wanted.vectors,
                exc,
                self.newest.revision,
            )
            return
        self._loaded.put(found)
