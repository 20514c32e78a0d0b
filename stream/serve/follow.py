"""How a serve worker keeps level with `catalogue`, `rules` and `models`: in bounded steps between
the micro-batches, on the thread that runs them.

One thread owns catalogue and model, so a list sees either all of a step or nothing of it, and waits
for one step at most. Only what folding reads of the catalogue is taken in whole before each batch:
an event finds every item that was announced before it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import inf
from time import monotonic, sleep

from stream.broker.feeds import Broadcast
from stream.chain.knowledge import rules_told
from stream.chain.policy import NO_POLICY, Policy
from stream.chain.wire import decode_item
from stream.serve.model_reader import ModelReader
from upwell.knowledge import Rule
from upwell.values import CatalogueItem

__all__ = ["Follower"]

ITEMS_A_STEP = 16
MOST_ITEMS = 2_048
MOST_MODELS = 4
"""Records that may wait: where steps between lists are too few, `catch_up` makes lists wait for
more of them.
"""
FEW_ITEMS = 64
"""That may wait while users do: announcements then go no faster than lists take them in."""
LIVE_SECONDS = 1.0
"""After users' last batch they are taken to do more."""
MOST_SECONDS = 1.0
"""That a batch of announcements gives way, so that they go on where users never rest."""
_WAIT_SECONDS = 0.01


class Follower:
    """know, announce: take in entries of the catalogue, in their order: for folding, at once; for
    ranking, step by step. heed: takes in rules, at once, and before the next list. policy: blocks
    items of the catalogue.

    All methods raise what reading and applying raise.
    """

    def __init__(
        self,
        catalogue: Broadcast,
        models: Broadcast,
        know: Callable[[Sequence[CatalogueItem]], None],
        announce: Callable[[Sequence[CatalogueItem]], None],
        reader: ModelReader,
        rules: Broadcast,
        heed: Callable[[Mapping[str, Rule | None]], None],
        policy: Policy = NO_POLICY,
    ) -> None:
        self._rules = rules
        self._heed = heed
        self._catalogue = catalogue
        self._models = models
        self._know = know
        self._announce = announce
        self._known: deque[CatalogueItem] = deque()  # and not announced yet
        self._reader = reader
        self._policy = policy
        self._steps = self._endless()
        self._caught_up = -inf

    def step(self) -> bool:
        """A few items, or a part of a delta, in turn; False where there was nothing to take in."""
        self._take_rules()
        return next(self._steps)

    def catch_up(self) -> None:
        """Know every rule and every item that was read, and so many steps that no more than a few
        seconds of records wait; mostly none.
        """
        self._caught_up = monotonic()
        self._take_rules()
        self._read_catalogue()
        while self._models.waiting > MOST_MODELS or len(self._known) > MOST_ITEMS:
            self.step()

    def give_way(self) -> None:
        """Before more is announced, on the thread that does it: waits until lists have nearly all
        that was, where users wait for lists meanwhile.
        """
        until = monotonic() + MOST_SECONDS
        while self.live and self.untaken > FEW_ITEMS and monotonic() < until:
            sleep(_WAIT_SECONDS)

    @property
    def live(self) -> bool:
        """Users do something: lists were asked for within the last second. From any thread."""
        return monotonic() < self._caught_up + LIVE_SECONDS

    @property
    def untaken(self) -> int:
        """Entries of the catalogue that no list is ranked by yet. From any thread."""
        return len(self._known) + self._catalogue.waiting

    def level(self) -> None:
        """All that was read, at once: before anybody waits for a list. A version that stood there
        and is gone is waited out: the next one is on its way.
        """
        self._take_items(None)
        while self.step() or self._reader.waits:
            if self._reader.waits:
                sleep(_WAIT_SECONDS)

    def _endless(self) -> Iterator[bool]:
        while True:
            items = self._take_items(ITEMS_A_STEP)
            if items:
                yield True
            record = next(self._models.drain(), None)
            if record is not None:
                for _ in self._reader.read(record):
                    yield True
            elif not items:
                yield False

    def _take_rules(self) -> None:
        if told := rules_told(self._rules.drain()):
            self._heed(told)

    def _take_items(self, most: int | None) -> int:
        """How many there were."""
        self._read_catalogue()
        items = [
            self._known.popleft() for _ in range(min(len(self._known), most or len(self._known)))
        ]
        if items:
            self._announce(items)
        return len(items)

    def _read_catalogue(self) -> None:
        items = [
            self._policy.judged(decode_item(record.value))
            for record in self._catalogue.drain()
            if record.value is not None
        ]
        if items:
            self._know(items)
            self._known.extend(items)
