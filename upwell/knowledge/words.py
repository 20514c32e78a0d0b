"""The client's words on knowledge. It knows nothing of how events are sent."""

from __future__ import annotations

from typing import Any

from upwell.events import Event
from upwell.knowledge.records import Knowledge, KnowledgeKind
from upwell.system.clock import now_ms

__all__ = ["KnowledgeWords"]


class KnowledgeWords:
    """What an `UpwellClient` has of it."""

    def send(self, event: Event) -> None:
        """Hand an event to the producer."""
        raise NotImplementedError

    def triple(
        self,
        /,
        item_id: str,
        relation: str,
        object: str | None = None,
        value: str | None = None,
        **more: Any,
    ) -> Knowledge:
        """An item stands in a relation to another one, or has a value, from now on; with
        `deleted=True` no more.
        """
        said = {"relation": relation, "object": object, "value": value}
        return self._known(KnowledgeKind.TRIPLE, item_id=item_id, **said, **more)

    def rule(self, /, rule_id: str, **more: Any) -> Knowledge:
        """A filter, in place of the rule of this id, from now on (docs/knowledge.md)."""
        return self._known(KnowledgeKind.FILTER, rule_id=rule_id, **more)

    def _known(self, kind: KnowledgeKind, **more: Any) -> Knowledge:
        known = Knowledge(**{"ts": now_ms(), **more}, kind=kind)
        self.send(known)
        return known
