"""Which topics and offsets a snapshot is of, whether a broker is the one it was made on, and what
it does not hold.
"""

from __future__ import annotations

from collections.abc import Mapping

from kafka import TopicPartition

from stream.broker.group import serve_group
from stream.broker.incarnations import incarnations_of
from stream.broker.lag import INPUT_TOPICS, Lag
from upwell.client import client_options
from upwell.errors import SnapshotError
from upwell.events import Topic
from upwell.settings import Settings
from upwell.system.offsets import beginnings_of, ends_of

__all__ = [
    "acknowledged",
    "beside",
    "check_begun",
    "check_held",
    "check_same",
    "is_another",
    "nothing",
    "topic_ids",
]

SERVER_STORE = (
    "the store is a Qdrant server: it is not part of the snapshot. Snapshot its "
    "collections {0}_users and {0}_items while the engine "
    "is stopped (POST {1}/collections/NAME/snapshots), and recover them before you restore "
    "(PUT {1}/collections/NAME/snapshots/recover)"
)


def check_begun(settings: Settings) -> None:
    """Raises `SnapshotError` where no engine has run on the data folder: no broker is started to
    find that out.
    """
    if settings.kafka.address is None and not (settings.data / "kafka").is_dir():
        raise nothing(settings)


def nothing(settings: Settings) -> SnapshotError:
    """That there is nothing to save or to go back to."""
    return SnapshotError(
        f"{settings.data} holds nothing yet: run the engine first, or set UPWELL_DATA to its folder"
    )


def topic_ids(settings: Settings) -> dict[str, str]:
    """By name: which topics they are whose offsets the snapshot holds."""
    prefix = settings.kafka.prefix
    topics = (*INPUT_TOPICS, Topic.EXAMPLES)
    found = incarnations_of(client_options(settings.kafka), prefix, topics)
    return {prefix + topic: incarnation for topic, incarnation in found.items()}


def check_same(settings: Settings, topics: Mapping[str, str]) -> None:
    """Raises `SnapshotError` where a topic was made anew since; `topics`: as they were."""
    now = topic_ids(settings)
    other = [name for name, incarnation in topics.items() if now.get(name, "") != incarnation]
    if other:
        raise SnapshotError(
            f"{', '.join(other)}: not the topics that the snapshot was made on (made anew, or "
            "of another broker): its offsets mean nothing there; use the broker it was made on, or "
            "start afresh and replay"
        )


def check_held(settings: Settings, offsets: Mapping[TopicPartition, int]) -> None:
    """Raises `SnapshotError` where the broker does not hold what came after these offsets."""
    with serve_group(client_options(settings.kafka), settings.kafka.prefix) as consumer:
        ends, starts = (
            ends_of(consumer, list(offsets)),
            beginnings_of(consumer, list(offsets)),
        )
    for partition, offset in offsets.items():
        if not starts[partition] <= offset <= ends[partition]:
            raise SnapshotError(
                f"the snapshot goes on from offset {offset} of "
                f"{partition.topic}-{partition.partition}, the broker holds "
                f"{starts[partition]} to {ends[partition]}: use the broker it was made on, "
                "and none older than the topics' retention"
            )


def is_another(settings: Settings, topics: Mapping[str, str]) -> bool:
    """Whether the broker has none of the topics that the snapshot was made on.

    Raises `SnapshotError` where it has others of these names with records in them.
    """
    if settings.kafka.address is None:
        return True
    now = topic_ids(settings)
    if any(now.get(name) == incarnation for name, incarnation in topics.items()):
        return False
    with Lag(client_options(settings.kafka), settings.kafka.prefix) as lag:
        used = [
            end.topic for end, offset in lag.ends([*INPUT_TOPICS, Topic.EXAMPLES]).items() if offset
        ]
    if used:
        raise SnapshotError(
            f"{', '.join(dict.fromkeys(used))}: topics of another engine, with records in "
            "them: name another prefix, or a broker without them"
        )
    return True


def acknowledged(settings: Settings) -> dict[TopicPartition, int]:
    """Of each input partition the offset from which a restarted worker goes on."""
    with Lag(client_options(settings.kafka), settings.kafka.prefix) as lag:
        return lag.acknowledged()


def beside(settings: Settings) -> str | None:
    """What a snapshot does not hold, and how it is saved; None where it holds all."""
    if settings.store.kind != "server":
        return None
    collections = settings.kafka.prefix.rstrip(".") or "upwell"
    return SERVER_STORE.format(collections, settings.store.url)
