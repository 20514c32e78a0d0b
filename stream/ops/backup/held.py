"""What a snapshot, a restore and a rollback hold meanwhile: the locks that workers take, and a
broker that answers.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from infra.kafka import KafkaBroker
from upwell.client import find_broker
from upwell.errors import SnapshotError
from upwell.settings import Settings
from upwell.system.lock import try_lock

__all__ = ["ENGINE", "broker", "one_at_a_time", "runs", "stopped"]


ENGINE = ("models", "store")
"""Parts of a data folder that a worker of the engine locks."""


def runs(settings: Settings, parts: Sequence[str] = ENGINE) -> bool:
    """Whether a worker runs on these parts of this data folder."""
    try:
        with stopped(settings, parts):
            return False
    except SnapshotError:
        return True


@contextmanager
def one_at_a_time(settings: Settings) -> Iterator[None]:
    """Raises `SnapshotError` where another snapshot of this data folder is being taken."""
    if not settings.data.is_dir():
        yield
        return
    held = try_lock(settings.data / "snapshot.lock")
    if held is None:
        raise SnapshotError(f"another snapshot of {settings.data} is being taken: wait for it")
    try:
        yield
    finally:
        os.close(held)


@contextmanager
def stopped(settings: Settings, parts: Sequence[str] = ENGINE) -> Iterator[None]:
    """Holds the locks that a worker takes.

    Raises `SnapshotError` where one runs on this data folder.
    """
    with ExitStack() as stack:
        for part in parts:
            path = settings.data / part / "owner.lock"
            if not path.parent.is_dir():
                continue
            held = try_lock(path)
            if held is None:
                raise SnapshotError(f"a worker runs on {path.parent}: stop the engine first")
            stack.callback(os.close, held)
        yield


@contextmanager
def broker(settings: Settings, say: Callable[[str], None]) -> Iterator[Settings]:
    """The settings with the address of a broker that answers; one on the data folder is started for
    as long as this needs it.
    """
    if settings.kafka.address is not None or (settings.data / "broker.json").exists():
        yield replace(settings, kafka=replace(settings.kafka, address=find_broker(settings)))
        return
    say("starting Apache Kafka on the data folder ...")
    with KafkaBroker(settings.data / "kafka") as started:
        yield replace(settings, kafka=replace(settings.kafka, address=started.address))
