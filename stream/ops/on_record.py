"""That somebody is about to change what serves, on the audit log before it is done: an entry
without the change says that it was asked for, and never is there a change without its entry.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

from upwell.client import UpwellClient, find_broker
from upwell.events import Control, ControlKind
from upwell.settings import Settings
from upwell.system.clock import now_ms

__all__ = ["Asked", "asked_for", "unasked"]

Asked = Callable[[Settings], None]
"""Puts it on the record of the engine of these settings; returns once Kafka has it."""


def unasked(_: Settings) -> None:
    """Nobody asked for it who could be named."""


def asked_for(kind: ControlKind, version: str, by: str, why: str) -> Asked:
    """version: of what is to serve. The call raises `BrokerError`, and `InvalidEventError` where a
    field is not right.
    """

    def say(settings: Settings) -> None:
        control = Control(
            event_id=f"{kind}-{uuid4().hex}",
            ts=now_ms(),
            kind=kind,
            by=by,
            why=why,
            version=version,
        )
        address = settings.kafka.address or find_broker(settings)
        with UpwellClient(address, settings.kafka) as upwell:
            upwell.send(control)

    return say
