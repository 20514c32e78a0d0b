"""What the learner hears of items and of rules: `catalogue` and `rules`, read whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from learner.training.learner import Learner
from stream.broker.feeds import Broadcast
from stream.chain.knowledge import rules_told
from stream.chain.policy import Policy
from stream.chain.wire import decode_item
from upwell.events import Topic

__all__ = ["CatalogueFeed"]


class CatalogueFeed:
    """Reads on in the background from `start` to `stop`. policy: blocks items. All raise
    `BrokerError`.
    """

    def __init__(self, client: Mapping[str, Any], prefix: str, policy: Policy) -> None:
        self._policy = policy
        self._items = Broadcast(prefix + Topic.CATALOGUE, client)
        self._rules = Broadcast(prefix + Topic.RULES, client)

    def start(self) -> None:
        self._items.start()
        self._rules.start()

    def tell(self, learner: Learner) -> None:
        """What came since the last time."""
        announced = [one.value for one in self._items.drain() if one.value is not None]
        learner.add_items([self._policy.judged(decode_item(one)) for one in announced])
        learner.take_rules(rules_told(self._rules.drain()))

    def stop(self) -> None:
        self._items.stop()
        self._rules.stop()
