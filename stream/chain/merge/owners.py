"""A worker's part in merging the users whom it owns, within a micro-batch: what it is told by other
owners, and what it tells them.

Nothing here is written: what is told stands on `rerouted` before the batch is acknowledged, and a
batch that comes again tells the same again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from stream.chain.effects import Rerouted
from stream.chain.fences import Fence
from stream.chain.fold import Bounds, Incoming
from stream.chain.merge.guest import (
    Forgetting,
    ItemVector,
    Merged,
    MergeRequest,
    hand_on,
    hand_over,
    take_in,
)
from stream.chain.merge.message import decode_message, encode_forgetting, encode_merged
from stream.chain.records import Arrival, Record
from upwell.events import Control, ControlKind, Topic
from upwell.values import UserState

__all__ = ["Asked", "Owners", "Told", "between_owners"]

Told = dict[str, list[tuple[Merged | Forgetting, Record]]]
"""What other owners say of users, by pseudonym, and where it stands."""

Asked = tuple[Forgetting, int | None]
"""A request to forget, and the partition of the user where the request is another's."""


def between_owners(records: Sequence[Record]) -> tuple[Told, list[Record]]:
    """What owners tell each other, and the other records."""
    told: Told = defaultdict(list)
    others = []
    for record in records:
        message = decode_message(record.value) if record.topic is Topic.REROUTED else None
        if message is None:
            others.append(record)
        else:
            told[message.user].append((message, record))
    return told, others


@dataclass(frozen=True, slots=True)
class Owners:
    """partition_of, pseudonym: of an app's user_id; item_vector: of an announced item."""

    bounds: Bounds
    partition_of: Callable[[bytes], int]
    item_vector: ItemVector
    pseudonym: Callable[[str], str]

    def forget(
        self, asked: Sequence[tuple[str, Arrival]], told: Told, states: Mapping[str, UserState]
    ) -> tuple[list[Asked], list[Rerouted]]:
        """The requests to forget that count now, and those that are sent on.

        Where a user has guests, it goes from guest to guest and then to the user: a worker that
        dies in between still knows the guests, and what is confirmed is done.
        """
        now: list[Asked] = []
        on: list[Rerouted] = []
        for user, one in asked:
            request = Forgetting(user, one.source, one.offset, one.record.first_ms)
            state = states[user]
            if not state.merged or state.watermark.get(one.source, -1) >= one.offset:
                now.append((request, None))
                continue
            guests = [(guest, known.partition) for guest, known in state.merged.items()]
            on += _next(replace(request, then=(*guests, (user, one.record.partition))))
        for messages in told.values():
            for message, at in messages:
                if isinstance(message, Forgetting):
                    now.append((message, at.partition))
                    on += _next(message)
        return now, on

    def take_in(
        self, states: Mapping[str, UserState], told: Told, fences: Mapping[str, Fence]
    ) -> tuple[dict[str, UserState], list[Rerouted]]:
        """All states with what came of guests, and that guests of a user who was forgotten
        meanwhile are to be forgotten too.
        """
        grown, on = dict(states), []
        for user, messages in told.items():
            fence = fences.get(user)
            for one, at in messages:
                if isinstance(one, Forgetting):
                    continue
                if fence is None or one.appended_ms > fence.appended_ms:
                    grown[user] = take_in(
                        grown[user], one, at.source, at.offset, self.item_vector, self.bounds
                    )
                elif one.whole:
                    late = Forgetting(
                        one.guest, fence.source, fence.offset, fence.appended_ms, guest=True
                    )
                    on.append(Rerouted(None, encode_forgetting(late), one.partition))
        return grown, on

    def hand_on(
        self, state: UserState, events: Sequence[tuple[Incoming, Record]]
    ) -> list[Rerouted]:
        """Events of a guest whom the stored state knows to be another user."""
        into = state.merged_into
        events = [(one, at) for one, at in events if not one.shown]  # what they saw stays theirs
        if into is None or not events:
            return []
        oldest = min(at.first_ms for _, at in events)
        partition = events[0][1].partition
        merged = hand_on(into, state.user, partition, [one for one, _ in events], oldest)
        return [Rerouted(None, encode_merged(merged), into.partition)]

    def hand_over(self, state: UserState, arrival: Arrival) -> tuple[UserState, list[Rerouted]]:
        """The guest's state after a request to merge them, and what it sends."""
        event = arrival.event
        assert isinstance(event, Control)
        assert event.kind is ControlKind.MERGE_USER
        into, guest = event.user_id or "", event.from_user or ""
        request = MergeRequest(
            user=self.pseudonym(into),
            home=self.partition_of(into.encode()),
            source=arrival.source,
            offset=arrival.offset,
            appended_ms=arrival.record.first_ms,
            partition=self.partition_of(guest.encode()),
        )
        state, merged = hand_over(state, request, self.item_vector, self.bounds)
        if merged is None:
            return state, []
        return state, [Rerouted(None, encode_merged(merged), request.home)]


def _next(one: Forgetting) -> list[Rerouted]:
    return [Rerouted(None, encode_forgetting(one.next), one.then[0][1])] if one.then else []
