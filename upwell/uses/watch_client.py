"""What the app of an opinion watch uses: posts in, alerts out.

with WatchClient("127.0.0.1:9092") as watch:
    alerts = watch.alerts(timeout=5)
    watch.post("the train is late again", user_id="ann")
    for alert in alerts:
        print(alert.kind, alert.name)
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from upwell.system.clock import now_ms
from upwell.uses.client import UseClient
from upwell.uses.tables import parse_output
from upwell.uses.topics import UseTopic
from upwell.uses.watch import Acknowledgement, Alert, Post

__all__ = ["WatchClient"]


class WatchClient(UseClient):
    """Speaks with the opinion watch (`upwell run --roles watch`)."""

    def post(self, text: str, user_id: str | None = None, **more: Any) -> Post:
        """Somebody wrote something, now.

        more: here and below, other fields of the record, `ts` and `sentiment` too.
        """
        given = {"ts": now_ms(), "post_id": uuid.uuid4().hex, **more}
        return self.write(Post(**given, text=text, user_id=user_id))

    def acknowledge(self, alert_id: str, by: str, **more: Any) -> Acknowledgement:
        """Somebody has seen an alert: it is closed."""
        given = {"ts": now_ms(), **more}
        return self.write(Acknowledgement(**given, alert_id=alert_id, by=by))

    def alerts(self, timeout: float | None = None, from_beginning: bool = False) -> Iterator[Alert]:
        """Alerts and their updates as they are published; ends after `timeout` seconds without one.

        What is published after this call returned is not missed.
        """
        records = self._records(UseTopic.ALERTS, timeout, from_beginning, None)
        return (parse_output(Alert, raw) for raw in records)
