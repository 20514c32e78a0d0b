"""Which model answers a text: the one that whoever asked names, if it is this worker's, or was put
into force on these topics. Any other is refused by name.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from stream.broker.encoders import Lineage, Named
from stream.chain.catalogue import vectors_of
from upwell.errors import EncoderError, SettingsError
from upwell.ports import Encoder

__all__ = ["MOST_MODELS", "Loaded", "Models"]

MOST_MODELS = 2
"""While serve workers change to another encoder, some ask for the one before."""

log = logging.getLogger("upwell.encode")


class Loaded(Encoder, Protocol):
    """A model in this process."""

    def close(self) -> None: ...


class Models:
    """own: of the settings. load: by name or folder; raises `EncoderError`. lineage: as it stands
    now; raises `BrokerError`. Two threads call it, a lane each. newest: that was asked for last.
    """

    def __init__(
        self, own: Named, load: Callable[[str], Loaded], lineage: Callable[[], Lineage]
    ) -> None:
        self._own = own
        self._load = load
        self._lineage = lineage
        self._loaded: OrderedDict[str, Loaded] = OrderedDict()
        self._lock = threading.Lock()
        self.newest: Loaded | None = None

    def begin(self) -> Loaded:
        """The one in force, loaded. Raises `EncoderError`, `BrokerError`."""
        in_force = self._lineage().in_force
        return self.of((in_force or self._own).vectors)

    def of(self, vectors: str) -> Loaded:
        """That which makes these vectors. Raises `SettingsError` where no model here does,
        `EncoderError`.
        """
        with self._lock:
            if vectors not in self._loaded:
                self._loaded[vectors] = self._found(self._named(vectors))
                while len(self._loaded) > MOST_MODELS:
                    self._loaded.popitem(last=False)[1].close()
            self._loaded.move_to_end(vectors)
            self.newest = self._loaded[vectors]
            return self.newest

    def close(self) -> None:
        """All of them."""
        while self._loaded:
            self._loaded.popitem()[1].close()

    def _named(self, vectors: str) -> Named:
        if vectors == self._own.vectors:
            return self._own
        lineage = self._lineage()
        changes = [named for one in lineage.said for named in (one.encoder, one.before)]
        for named in reversed(changes):
            if named.vectors == vectors and vectors in lineage.known:
                return named
        raise SettingsError(
            f"a serve worker asks for vectors of {vectors}, and this encode worker's "
            f"UPWELL_ENCODER is {self._own.model} ({self._own.vectors}): set it alike for all "
            "workers of the prefix; the texts wait for one that has it"
        )

    def _found(self, wanted: Named) -> Loaded:
        found = self._load(wanted.model)
        if (vectors := vectors_of(found.revision)) != wanted.vectors:
            found.close()
            raise EncoderError(
                f"{wanted.model} is {vectors} here, and {wanted.vectors} where it came into force: "
                "put the same files there on each machine"
            )
        log.info("encodes by %s", found.revision)
        return found
