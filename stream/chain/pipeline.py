"""The chain of one micro-batch of users' events: records in, effects out.

    decode -> reroute -> denoise -> privacy -> forget -> encode -> intent -> rank -> effects

It knows nothing about Faust, Kafka's client, Qdrant or torch. `Pipeline.process` changes nothing;
`Pipeline.run` also writes the users' states. Whoever calls `run` publishes the effects afterwards,
and only then acknowledges the records.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b

from learner.ranking.fatigue import worn
from stream.chain.catalogue import Catalogue
from stream.chain.denoise import Denoiser
from stream.chain.effects import Effects, Erasure, FreshList, Rerouted
from stream.chain.fences import Fence, Fences, begun_after, newest_fences
from stream.chain.fold import Bounds, Folded, Incoming, fold_events, for_ranker
from stream.chain.merge import Owners, Told, between_owners
from stream.chain.overrides.standing import Standing
from stream.chain.overrides.tags import tagged
from stream.chain.policy import NO_POLICY, Policy
from stream.chain.privacy import Pseudonymizer
from stream.chain.records import Arrival, Record, decode_records, interaction_of, user_in
from stream.chain.scrub import scrub
from stream.chain.sources import current_offsets
from stream.chain.users import Users
from stream.chain.wire import encode_rerouted
from upwell.errors import StoreError
from upwell.events import Click, ControlKind, Impression, Query, Request, Review, Topic
from upwell.ports import Encoder, Ranker, RankRequest
from upwell.recommendations import DeadLetter
from upwell.values import UserState, Vector

__all__ = ["Limits", "Pipeline"]

WRITE_TRIES = 3

UserEvent = Click | Review | Query | Impression | Request

Named = tuple[str, Arrival]
"""A user's pseudonym and an event of theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the chain needs of the settings.

    `test_sample`: the share of events, by lot, whose targets are tested. incarnations: of the
    topics that are read, by which lists say what they cover. returns: what a user buys again and
    again may stand in lists again. fatigue: impressions without an answer count.
    """

    bounds: Bounds
    partition_of: Callable[[bytes], int]
    list_k: int
    test_sample: float
    incarnations: Mapping[Topic, str] = field(default_factory=dict)
    returns: bool = True
    fatigue: bool = True


@dataclass(frozen=True, slots=True)
class _Signed:
    """An event with its user's pseudonym, its scrubbed words and their vector."""

    arrival: Arrival
    event: UserEvent
    user: str
    words: str | None
    vector: Vector | None


@dataclass(frozen=True, slots=True)
class _Begun:
    """A batch and its users after the requests to forget.

    events: those that no request hides; hidden: how many others. fences: of this batch; after: of
    all. passed_on: requests on their way to other owners.
    """

    states: Mapping[str, UserState]
    events: Sequence[Named]
    hidden: int
    fences: Mapping[str, Fence]
    after: Mapping[str, Fence]
    forgotten: tuple[str, ...]
    erasures: tuple[Erasure, ...]
    passed_on: Sequence[Rerouted]


@dataclass(frozen=True, slots=True)
class _Changed:
    """The states to write, what each user's events came to, and what goes to other owners."""

    states: tuple[UserState, ...]
    folded: Mapping[str, Folded]
    handed: Sequence[Rerouted]
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Order:
    """A list to make: for whom, why, and what the ranker is asked."""

    arrival: Arrival
    user_id: str
    trigger: str
    request: RankRequest


class Pipeline:
    """The serve worker's chain over its ports. One thread calls it."""

    def __init__(
        self,
        limits: Limits,
        *,
        encoder: Encoder,
        ranker: Ranker,
        users: Users,
        catalogue: Catalogue,
        pseudonymizer: Pseudonymizer,
        denoiser: Denoiser,
        fences: Fences,
        standing: Standing,
        policy: Policy = NO_POLICY,
    ) -> None:
        self._limits = limits
        self._standing = standing
        self._encoder = encoder
        self._ranker = ranker
        self._users = users
        self._catalogue = catalogue
        self._pseudonymizer = pseudonymizer
        self._denoiser = denoiser
        self._fences = fences
        self._policy = policy
        self._owners = Owners(
            limits.bounds, limits.partition_of, catalogue.vector, pseudonymizer.pseudonym
        )

    def fence(self, fences: Mapping[str, Fence]) -> None:
        """Requests to forget that `controls` holds, by pseudonym: what is older than they are is
        dropped from here on. Raises what asking the topics raises.
        """
        self._fences.add(fences)

    def run(self, records: Sequence[Record], now_ms: int) -> Effects:
        """Process and write. Where another worker has moved a state on, it is read again and the
        batch done once more.

        Raises `StoreError` when that does not help: two workers write the same users.
        """
        for _ in range(WRITE_TRIES):
            effects = self.process(records, now_ms)
            self._users.forget(effects.forgotten)
            if not self._users.write(effects.states):
                self._denoiser.commit()
                self._fences.add(effects.fences, now_ms)
                return effects
        raise StoreError(
            "users' states: refused as stale again and again; two workers own the same "
            "partitions: give each its own data"
        )

    def process(self, records: Sequence[Record], now_ms: int) -> Effects:
        """The effects of a micro-batch, given the users' states so far (`now_ms`: UTC ms)."""
        unknown: Counter[str] = Counter()
        told, others = between_owners(records)
        arrivals, bad = decode_records(others, now_ms, unknown)
        own, rerouted = self._route(arrivals)
        unique, counts = self._denoiser.split(own)
        named = [(self._pseudonymizer.pseudonym(arrival.user_id), arrival) for arrival in unique]
        begun = self._begin(named, told)
        by_user = self._sign(begun.events, counts)
        changed = self._change(begun, told, by_user)
        dead_letters = self._letters(bad, begun.fences)
        orders = [
            order
            for user, events in by_user.items()
            for order in self._orders(changed.folded[user].state, events)
        ]
        counts.update(
            events=len(records),
            dead_letters=len(dead_letters),
            rerouted=len(rerouted),
            lists=len(orders),
            forgotten=begun.hidden + len(bad) - len(dead_letters),
        )
        counts.update(changed.counts)
        return Effects(
            states=changed.states,
            dead_letters=dead_letters,
            rerouted=(*rerouted, *begun.passed_on, *changed.handed),
            lists=self._lists(orders),
            examples=tuple(one for result in changed.folded.values() for one in result.examples),
            fences=begun.fences,
            forgotten=begun.forgotten,
            erasures=begun.erasures,
            withdrawn=self._standing.naming(begun.erasures),
            counts=counts,
            unknown_fields=unknown,
            traces={(one.source, one.offset): one.trace for one in records if one.trace},
        )

    def _begin(self, named: Sequence[Named], told: Told) -> _Begun:
        """What the requests to forget of this batch, and those before it, leave of it."""
        asked = [(user, one) for user, one in named if one.asks(ControlKind.FORGET_USER)]
        others = [(user, one) for user, one in named if not one.asks(ControlKind.FORGET_USER)]
        states = self._users.read(list(dict.fromkeys([*(user for user, _ in named), *told])))
        requests, passed_on = self._owners.forget(asked, told, states)
        fences = newest_fences(
            *({user: Fence(one.record.first_ms, one.source, one.offset)} for user, one in asked),
            *({one.user: Fence(one.appended_ms, one.source, one.offset)} for one, _ in requests),
        )
        after = newest_fences(self._fences.of(states), fences)
        now = {one.user for one, _ in requests}
        began = {
            user: begun_after(state, after.get(user))
            if user in now or not state.merged
            else state  # until their guests were told
            for user, state in states.items()
        }
        forgotten = tuple(
            user for user, state in states.items() if began[user] is not state and state.watermark
        )
        events = [
            (user, one)
            for user, one in others
            if user not in after or not after[user].hides(one.record.first_ms)
        ]
        erasures = tuple(
            Erasure(one.user, one.source, one.offset, int(one.user in forgotten), home, one.guest)
            for one, home in requests
        )
        hidden = len(others) - len(events)
        return _Begun(began, events, hidden, fences, after, forgotten, erasures, passed_on)

    def _change(self, begun: _Begun, told: Told, by_user: Mapping[str, list[_Signed]]) -> _Changed:
        """What guests and the users themselves did, folded into the states."""
        grown, handed = self._owners.take_in(begun.states, told, begun.after)
        incoming = {user: self._incoming_of(events) for user, events in by_user.items()}
        folded = {
            user: fold_events(
                grown[user],
                [one for one, _ in events],
                self._catalogue.vector,
                self._limits.bounds,
            )
            for user, events in incoming.items()
        }
        final = grown | {user: result.state for user, result in folded.items()}
        for user, events in incoming.items():
            handed += self._owners.hand_on(begun.states[user], events)
        for user, one in begun.events:
            if one.asks(ControlKind.MERGE_USER):
                final[user], sent = self._owners.hand_over(final[user], one)
                handed += sent
            final[user] = tagged(final[user], one)
        counts = {
            "duplicates": sum(len(result.duplicates) for result in folded.values()),
            "merged": sum(
                len(grown[user].merged.keys() - begun.states[user].merged.keys()) for user in told
            ),
        }
        states = tuple(state for user, state in final.items() if state is not begun.states[user])
        return _Changed(states, folded, handed, counts)

    def _route(self, arrivals: Iterable[Arrival]) -> tuple[list[Arrival], list[Rerouted]]:
        """Events of users that this partition owns, and those to send on.

        Controls of items belong to another chain.
        """
        own: list[Arrival] = []
        rerouted: list[Rerouted] = []
        for arrival in arrivals:
            user_id = arrival.user_id
            if not user_id:
                continue
            key = user_id.encode()
            record = arrival.record
            if record.topic is Topic.REROUTED or self._limits.partition_of(key) == record.partition:
                own.append(arrival)
            else:
                value = encode_rerouted(arrival.topic, record.value or b"")
                rerouted.append(Rerouted(key, value, None, record.first_ms, record.trace))
        return own, rerouted

    def _letters(
        self, bad: Sequence[DeadLetter], fences: Mapping[str, Fence]
    ) -> tuple[DeadLetter, ...]:
        """With their users' pseudonyms; without those of users who were forgotten since."""
        kept = []
        for letter in bad:
            user_id = user_in(letter)
            user = None if user_id is None else self._pseudonymizer.pseudonym(user_id)
            fence = newest_fences(self._fences.of([user]), fences).get(user) if user else None
            if fence is None or letter.appended is None or not fence.hides(letter.appended):
                kept.append(replace(letter, user=user))
        return tuple(kept)

    def _sign(self, named: Sequence[Named], counts: Counter[str]) -> dict[str, list[_Signed]]:
        """Of each user the events that are theirs, with scrubbed words; one call of the encoder for
        all words of the batch. Adds to `counts` how many texts are read without some of theirs.
        """
        theirs = [(user, one, one.event) for user, one in named if isinstance(one.event, UserEvent)]
        said = [(getattr(event, "text", None), one.topic) for _, one, event in theirs]
        clean = [self._policy.masked(text, topic) if text else None for text, topic in said]
        counts["masked"] += sum(it != one for it, (one, _) in zip(clean, said, strict=True) if one)
        words = [scrub(text, self._catalogue.has_number) if text else None for text in clean]
        spoken = [text for text in words if text]
        vectors = iter(self._encoder.encode(spoken) if spoken else ())
        signed: dict[str, list[_Signed]] = defaultdict(list)
        for (user, arrival, event), text in zip(theirs, words, strict=True):
            vector = next(vectors) if text else None
            signed[user].append(_Signed(arrival, event, user, text, vector))
        return signed

    def _incoming_of(self, events: Sequence[_Signed]) -> list[tuple[Incoming, Record]]:
        return [
            (one, signed.arrival.record)
            for signed in events
            if (one := self._incoming(signed)) is not None
        ]

    def _incoming(self, signed: _Signed) -> Incoming | None:
        event, arrival = signed.event, signed.arrival
        interaction = interaction_of(event, arrival.source, arrival.offset)
        if interaction is None or (isinstance(event, Impression) and not self._limits.fatigue):
            return None
        share = self._pseudonymizer.share("test", event.event_id)
        tested = interaction.liked and share < self._limits.test_sample
        shown = event.item_ids if isinstance(event, Impression) else ()
        return Incoming(interaction, signed.vector, tested, shown)

    def _orders(self, state: UserState, events: Sequence[_Signed]) -> list[_Order]:
        """One list for what the user did in this batch, and one for each request."""
        orders, newest, spoken = list[_Order](), None, None
        for signed in events:
            if isinstance(signed.event, Request):
                orders.append(self._requested(state, signed, signed.event))
            elif isinstance(signed.event, Click | Review | Query):
                newest, spoken = signed, signed if signed.words else spoken
        if newest is not None:
            trigger = newest.event.event_id
            request = self._ask(state, trigger, newest.event.ts)
            if spoken is not None:
                reviewed = isinstance(spoken.event, Review)
                request = replace(request, words=spoken.words, reviewed=reviewed)
            orders.append(_Order(newest.arrival, newest.event.user_id, trigger, request))
        return orders

    def _requested(self, state: UserState, signed: _Signed, asked: Request) -> _Order:
        request = self._ask(state, asked.request_id, asked.ts)
        request = replace(request, k=asked.k or request.k, exclude=asked.exclude)
        request = replace(request, category=asked.category, surface=asked.surface)
        return _Order(signed.arrival, asked.user_id, asked.request_id, request)

    def _ask(self, state: UserState, trigger: str, now_ms: int) -> RankRequest:
        limits = self._limits
        return RankRequest(
            state=for_ranker(state, limits.returns, now_ms),
            k=limits.list_k,
            lot=self._pseudonymizer.lot("explore", trigger),
            worn=worn(state.shown, state.history, now_ms) if limits.fatigue else {},
            at=now_ms,
            list_id=blake2b(f"{state.user}\n{trigger}".encode(), digest_size=16).hexdigest(),
        )

    def _lists(self, orders: Sequence[_Order]) -> tuple[FreshList, ...]:
        if not orders:
            return ()
        over = self._standing.over
        ranked = self._ranker.rank([over(one.request, one.arrival.at_ms) for one in orders])
        version = self._ranker.version
        return tuple(
            FreshList(
                list_id=order.request.list_id,
                user_id=order.user_id,
                items=entries,
                model_version=version,
                trigger=order.trigger,
                covers=current_offsets(order.request.state.watermark, self._limits.incarnations),
                appended_ms=order.arrival.record.appended_ms,
                surface=order.request.surface,
                trace=order.arrival.record.trace,
            )
            for order, entries in zip(orders, ranked, strict=True)
        )
