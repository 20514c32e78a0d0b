"""One learner on a prefix, whatever its machine: a consumer group of which one member holds the
only partition of `models`. It knows nothing about learning.

Who holds it keeps it as long as its session lives; an engine that comes back has its place at once,
since it is a static member (KIP-345). Before a write the broker is asked: a commit of a member that
has lost its place is refused.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from time import monotonic
from typing import Any, TypeVar

from kafka import ConsumerRebalanceListener, KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import MemberToRemove
from kafka.coordinator.assignors.abstract import (
    AbstractPartitionAssignor,
    ConsumerProtocolAssignment,
    ConsumerProtocolSubscription,
)
from kafka.errors import (
    CommitFailedError,
    CoordinatorNotAvailableError,
    FencedInstanceIdError,
    GroupAuthorizationFailedError,
    GroupIdNotFoundError,
    RebalanceInProgressError,
)
from kafka.structs import OffsetAndMetadata

from stream.broker.away import Patience
from upwell.errors import BrokerError, SettingsError
from upwell.events import Topic

__all__ = ["LearnerLock"]

SESSION_MS = 10_000
HEARTBEAT_MS = 1_000
"""So soon a holder hears that another one asks."""
SETTLE_SECONDS = 30.0
"""Longer than a session: a member that died is waited for."""
POLL_MS = 100
COMMIT_TRIES = 5
"""Each after the group was of one mind: who comes and goes may disturb one."""

log = logging.getLogger("upwell.learn")
T = TypeVar("T")


class LearnerLock:
    """owner: the engine's name, unique and the same after a restart."""

    def __init__(self, client: Mapping[str, Any], prefix: str, owner: str) -> None:
        self._client = dict(client)
        self._group = f"{prefix}learn"
        self._partition = TopicPartition(prefix + Topic.MODELS, 0)
        self._mark = {self._partition: OffsetAndMetadata(0, owner, -1)}
        self._owner = owner
        self._patience = Patience("learn")
        self.before: str | None = None
        """Who held it last before this engine asked for it, None where that is not known."""
        self._keeps = HolderKeeps()
        self._consumer: KafkaConsumer | None = None
        self._admin: KafkaAdminClient | None = None

    def take(self) -> None:
        """Returns when it is held. Raises `SettingsError` where another learner lives, `KafkaError`
        where the broker fails, `BrokerError` where this client may not use the group.
        """
        if not self.try_take():
            raise SettingsError(
                f"another engine ({self.before}) learns for {self._partition.topic}: one learner "
                "writes it; a second machine that helps runs `upwell run --roles serve`, or "
                "`--roles serve,learn` to take over when that one dies (docs/scaling.md), an "
                "engine apart needs another UPWELL_PREFIX"
            )

    def try_take(self) -> bool:
        """Whether it is held now. Raises as `take`, but where another learner lives."""
        held = self._joined()
        self.before = self._marked()
        if held:
            self._commit(self._joined)  # another one may come just now: one of the two is refused
        else:
            self._leave()
        return held

    def others(self) -> list[str]:
        """The engines, but this one, that the broker counts in the group: whoever holds it, and
        who has just asked. Raises `KafkaError`, `BrokerError` where this client may not look.
        """
        return [one for one in self._refused_plainly(self._members) if one != self._owner]

    @property
    def held(self) -> bool:
        """As far as this process has heard."""
        return self._consumer is not None and self._held.now is True

    def keep(self) -> None:
        """Between two steps: answers the group. Raises `BrokerError` where the lock is lost."""
        self._poll(0)
        if self._held.now is False:
            raise self._lost()

    def confirm(self) -> None:
        """Before a write: the broker says that the lock is held. Raises `BrokerError` where not,
        also where another one has held it since.
        """
        self._commit(lambda: self._joined() and self._marked() == self._owner)

    def release(self) -> None:
        """The place is kept for this engine until the session is over."""
        self._release()
        if self._admin is not None:
            self._admin.close()

    def _release(self) -> None:
        if self._consumer is not None:
            self._consumer.close()

    def _joined(self) -> bool:
        """Whether it is held, once the group is of one mind: asked by a new consumer, which takes
        the place of this engine's last one.

        A consumer of kafka-python that has begun to join again within a short poll may never end
        it, and sends no heartbeats meanwhile (docs/decisions/0021).
        """
        self._release()
        self._consumer = KafkaConsumer(
            isolation_level="read_committed",
            group_id=self._group,
            group_instance_id=self._owner,
            session_timeout_ms=SESSION_MS,
            heartbeat_interval_ms=HEARTBEAT_MS,
            partition_assignment_strategy=[self._keeps],
            enable_auto_commit=False,
            **self._client,
        )
        self._keeps.held_before = self._refused_plainly(self._marked) == self._owner
        self._held = _Held(self._consumer)
        self._consumer.subscribe([self._partition.topic], listener=self._held)
        # known before it joins: as the group's leader it would join again when it learns of it
        self._consumer.partitions_for_topic(self._partition.topic)
        deadline = monotonic() + SETTLE_SECONDS
        while self._held.now is None and monotonic() < deadline:
            self._poll(POLL_MS)
        return self._held.now is True

    def _commit(self, regained: Callable[[], bool]) -> None:
        """The broker takes a commit of a member in its place alone. Raises `BrokerError` where it
        does not and the place is not regained.
        """
        assert self._consumer is not None
        for _ in range(COMMIT_TRIES):
            try:
                self._patience.call(partial(self._consumer.commit, self._mark))
            except FencedInstanceIdError as exc:
                raise self._lost() from exc
            except (CommitFailedError, RebalanceInProgressError) as exc:
                log.info("the lock %s is asked for again: %s", self._group, type(exc).__name__)
                if not self._patience.call(regained):
                    break
            else:
                return
        raise self._lost()

    def _poll(self, timeout_ms: int) -> None:
        assert self._consumer is not None
        try:
            self._refused_plainly(partial(self._consumer.poll, timeout_ms=timeout_ms))
        except FencedInstanceIdError as exc:
            raise self._lost() from exc

    def _refused_plainly(self, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except GroupAuthorizationFailedError as exc:
            raise BrokerError(
                f"learn: this client may not use the group {self._group}: grant it Read on it "
                "(docs/security.md)"
            ) from exc

    def _members(self) -> list[str]:
        if self._admin is None:
            self._admin = KafkaAdminClient(**self._client)
        found = self._admin.describe_groups([self._group])[self._group]
        if (why := found["error"]) is None:
            return [str(one["group_instance_id"]) for one in found["members"]]
        if GroupIdNotFoundError.__name__ in why:  # nobody has learned yet
            return []
        refused = GroupAuthorizationFailedError.__name__ in why
        raise (GroupAuthorizationFailedError if refused else CoordinatorNotAvailableError)(why)

    def _leave(self) -> None:
        """Where it was refused: the holder, should it join again, is not to wait for this one."""
        self._release()
        admin = KafkaAdminClient(**self._client)
        try:
            member = MemberToRemove(group_instance_id=self._owner)
            admin.remove_group_members(self._group, [member])
        finally:
            admin.close()

    def _marked(self) -> str | None:
        assert self._consumer is not None
        found = self._consumer.committed(self._partition, metadata=True)
        return str(found.metadata) if found is not None else None

    def _lost(self) -> BrokerError:
        return BrokerError(
            f"learn: the lock {self._group} is lost, another engine may learn now: nothing more is "
            "written; it starts again from its newest checkpoint, if nobody else holds it"
        )


class HolderKeeps(AbstractPartitionAssignor):  # type: ignore[misc]  # kafka-python has no types
    """Partition 0 stays with who had it last, else goes to one of those who ask.

    held_before: the group's mark names this engine, as after a restart of the process.

    Kafka's own assignors look at the topic's partitions first, which a client that has just
    started may not know: it would be given nothing, and take that for a refusal.
    """

    name = "holder-keeps"
    version = 0

    def __init__(self) -> None:
        self.held_before = False
        self._generation = -1

    def metadata(self, topics: Iterable[str]) -> ConsumerProtocolSubscription:
        """Says in which generation this member held it last, 0 for one not known, -1 for never."""
        said = str(max(self._generation, 0 if self.held_before else -1)).encode()
        return ConsumerProtocolSubscription(self.version, list(topics), said)

    def assign(self, _: object, members: Sequence[Any]) -> dict[str, ConsumerProtocolAssignment]:
        """As the group's leader: who gets what."""
        holder = max(members, key=lambda one: int(one.metadata.user_data or b"-1"))
        return {
            one.member_id: ConsumerProtocolAssignment(
                self.version,
                [(topic, [0]) for topic in one.metadata.topics] if one is holder else [],
                b"",
            )
            for one in members
        }

    def on_assignment(self, assignment: ConsumerProtocolAssignment, generation: int) -> None:
        """What this member got."""
        self._generation = generation if assignment.partitions() else -1


class _Held(ConsumerRebalanceListener):  # type: ignore[misc]  # kafka-python has no types
    """now: None while the group is not of one mind."""

    def __init__(self, consumer: KafkaConsumer) -> None:
        self._consumer = consumer
        self.now: bool | None = None

    def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        self.now = None

    def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        self._consumer.pause(*assigned)  # its records are for the replicas
        self.now = bool(assigned)
