"""What the learner hears of items and of rules: `catalogue` and `rules`, read whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from learner.training.learner import Learner
from stream.broker.feeds import Broadcast
from stream.chain.knowledge import rules_told
from stream.chain.wire import decode_item
from upwell.events import Topic

__all__ = ["CatalogueFeed"]


class CatalogueFeed:
    """Reads on in the background from `start` to `stop`. All raise `BrokerError`."""

    def __init__(self, client: Mapping[str, Any], prefix: str) -> None:
        self._items = Broadcast(prefix + Topic.CATALOGUE, client)
        self._rules = Broadcast(prefix + Topic.RULES, client)

    def start(self) -> None:
        self._items.start()
        self._rules.start()

    def tell(self, learner: Learner) -> None:
        """What came since the last time."""
        announced = (record.value for record in self._items.drain())
        learner.add_items([decode_item(one) for one in announced if one is not None])
        learner.take_rules(rules_told(self._rules.drain()))

    def stop(self) -> None:
        self._items.stop()
        self._rules.stop()
