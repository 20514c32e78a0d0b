"""What people said, as every serve worker follows it whole: requests to forget on `controls`, what
stands of overrides on `overrides`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from stream.broker.feeds import Broadcast
from stream.chain.fences import Fence, fences_on_controls
from stream.chain.overrides.record import decode_kept
from stream.chain.overrides.standing import Standing
from stream.chain.privacy import Pseudonymizer
from stream.chain.records import BroadcastRecord
from upwell.events import Topic

__all__ = ["DecisionFeed", "take_overrides"]


class DecisionFeed:
    """incarnations: of topics. Belongs to the users' thread, but for starting and stopping."""

    def __init__(
        self,
        client: Mapping[str, Any],
        prefix: str,
        partition_of: Callable[[bytes], int],
        incarnations: Mapping[Topic, str],
    ) -> None:
        self._controls = Broadcast(prefix + Topic.CONTROLS, client)
        self._overrides = Broadcast(prefix + Topic.OVERRIDES, client)
        self._partition_of = partition_of
        self._incarnation = incarnations.get(Topic.CONTROLS, "")

    def start(self) -> None:
        """Reads what stands there. Raises `BrokerError`."""
        self._controls.start()
        self._overrides.start()

    def stop(self) -> None:
        self._controls.stop()
        self._overrides.stop()

    def take(self, pseudonymizer: Pseudonymizer, standing: Standing) -> dict[str, Fence]:
        """The fences that came since; overrides are put where they stand. Raises `BrokerError`."""
        take_overrides(self._overrides.drain(), standing)
        return fences_on_controls(
            self._controls.drain(), pseudonymizer, self._partition_of, self._incarnation
        )


def take_overrides(records: Iterable[BroadcastRecord], standing: Standing) -> None:
    """Records of `overrides`, in their order. Raises `BrokerError`."""
    for record in records:
        kept = None if record.value is None else decode_kept(record.value)
        standing.put((record.key or b"").decode(), kept)
