"""A guest who logs in: what their state holds goes to the user whom they turned out to be, once.

The guest's owner sends it (`hand_over`, then `hand_on` what still comes under the guest's id), the
user's owner takes it in (`take_in`); between them lies the topic `rerouted`, so each may come again
and neither may count twice. It names users by pseudonym and knows nothing about records' bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from learner.fused.intent import Intent, event_weight, fold
from stream.chain.fold import Bounds, Draft, Incoming, standing
from upwell.values import Guest, MergedInto, UserState, Vector

__all__ = [
    "GUESTS",
    "Forgetting",
    "ItemVector",
    "MergeRequest",
    "Merged",
    "hand_on",
    "hand_over",
    "take_in",
]

GUESTS = 100
"""Of a user as many are remembered, the newest: of them nothing counts twice."""

ItemVector = Callable[[str], Vector | None]


@dataclass(frozen=True, slots=True)
class Forgetting:
    """A request to forget a user who has guests, on its way from one to the next, the user last.

    user: the pseudonym of who is to be forgotten now. source, offset, appended_ms: of the request.
    guest: whether it is one. then: who comes next, each with their partition.
    """

    user: str
    source: str
    offset: int
    appended_ms: int
    guest: bool = False
    then: tuple[tuple[str, int], ...] = ()

    @property
    def next(self) -> Forgetting:
        """Of the first of `then`."""
        return replace(self, user=self.then[0][0], guest=len(self.then) > 1, then=self.then[1:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What a guest did, on its way to whom they are.

    user, guest: pseudonyms. partition: the guest's. appended_ms: when the broker got the request,
    or the oldest of the events. whole: of all that the guest did, else what came since. covers: the
    last offset per source that is in here or before. events: with the sources that they came from.
    rest: (d,) what the guest wants beyond the items of `events`, as of `rest_ts`; more: how many
    events that history no longer holds. guests: of the guest.
    """

    user: str
    guest: str
    partition: int
    appended_ms: int
    whole: bool
    covers: Mapping[str, int]
    events: tuple[Incoming, ...] = ()
    rest: Vector | None = None
    rest_ts: int = 0
    more: int = 0
    had: tuple[str, ...] = ()
    guests: Mapping[str, Guest] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MergeRequest:
    """To merge a guest into `user` (a pseudonym), who lives on `home`. source, offset, appended_ms:
    where it stands; partition: the guest's.
    """

    user: str
    home: int
    source: str
    offset: int
    appended_ms: int
    partition: int


def hand_over(
    state: UserState, request: MergeRequest, item_vector: ItemVector, bounds: Bounds
) -> tuple[UserState, Merged | None]:
    """The guest's state, which knows from then on whose its events are, and what goes there.

    A guest who was another's before brings nothing of that time: it is the other's.
    """
    known, again = state.merged_into, request.offset <= state.watermark.get(request.source, -1)
    if again and (known is None or known.user != request.user):
        return state, None
    if known is None or known.user != request.user:
        into = MergedInto(request.user, request.home, known is None)
    else:
        into = known
    if not again:
        watermark = {**state.watermark, request.source: request.offset}
        state = replace(state, merged_into=into, watermark=watermark)
    sent = Merged(
        user=request.user,
        guest=state.user,
        partition=request.partition,
        appended_ms=request.appended_ms,
        whole=True,
        covers=state.watermark,
    )
    return state, _filled(sent, state, item_vector, bounds) if into.whole else sent


def _filled(sent: Merged, state: UserState, item_vector: ItemVector, bounds: Bounds) -> Merged:
    rest = _beyond_items(state, item_vector, bounds)
    return replace(
        sent,
        events=tuple(map(Incoming, state.history)),
        rest=rest.vector,
        rest_ts=rest.ts,
        more=max(state.events - len(state.history), 0),
        had=state.had,
        guests=state.merged,
    )


def _beyond_items(state: UserState, item_vector: ItemVector, bounds: Bounds) -> Intent:
    """The intent without what the items of the history add: it is the words' of searches and
    reviews, and of what is older.
    """
    draft = Draft(state, bounds)
    draft.announce(item_vector)
    intent = draft.intent
    for one in standing(state.history):
        vector = None if one.item_id is None else item_vector(one.item_id)
        if vector is not None:
            weight = -event_weight(one.kind, one.rating, one.completion)
            intent = fold(intent, vector, weight, one.ts, bounds.half_life_ms)
    return intent


def hand_on(
    into: MergedInto, guest: str, partition: int, events: Sequence[Incoming], appended_ms: int
) -> Merged:
    """Events that came under the guest's id after the request, or late."""
    covers: dict[str, int] = {}
    for one in events:
        event = one.event
        covers[event.source] = max(event.offset, covers.get(event.source, -1))
    return Merged(
        user=into.user,
        guest=guest,
        partition=partition,
        appended_ms=appended_ms,
        whole=False,
        covers=covers,
        events=tuple(events),
    )


def take_in(
    state: UserState,
    merged: Merged,
    source: str,
    offset: int,
    item_vector: ItemVector,
    bounds: Bounds,
) -> UserState:
    """The user's state with what is new of the guest; `state` itself where nothing came.

    source, offset: where `merged` stands. What comes before the whole is in the whole, which comes
    again; what comes after the user was forgotten is the guest's alone.
    """
    known = state.merged.get(merged.guest)
    if offset <= state.watermark.get(source, -1) or (known is None and not merged.whole):
        return state
    draft = Draft(state, bounds)
    draft.announce(item_vector)
    covers = {} if known is None else dict(known.covers)
    for one in merged.events:
        event = one.event
        if event.offset > covers.get(event.source, -1) and event.event_id not in draft.positions:
            here = replace(event, source=source, offset=offset)
            draft.add(replace(one, event=here, tested=False), item_vector)
    if known is None:
        draft.had |= dict.fromkeys(merged.had)
        draft.events += merged.more
        if merged.rest is not None:
            draft.intent = fold(draft.intent, merged.rest, 1.0, merged.rest_ts, bounds.half_life_ms)
    for name, last in merged.covers.items():
        covers[name] = max(last, covers.get(name, -1))
    if known is not None and not draft.folded and covers == known.covers:
        return state
    draft.watermark[source] = offset
    guests = {name: Guest(guest.partition, {}) for name, guest in merged.guests.items()}
    everyone = {**guests, **state.merged, merged.guest: Guest(merged.partition, covers)}
    everyone.pop(state.user, None)
    kept = dict(list(everyone.items())[-GUESTS:])
    return replace(draft.state(), merged=kept)
