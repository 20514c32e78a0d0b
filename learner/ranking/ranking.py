"""Lists for users by given parameters, over one catalogue and what was counted of it.

It knows nothing about learning or examples.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.catalogue import Catalogue
from learner.catalogue.decisions import under_decisions
from learner.catalogue.lexical import NAMED
from learner.catalogue.nearest.products import products
from learner.catalogue.rules import RuleTable
from learner.counts.block import block_of, padded
from learner.counts.counts import Counts, CountState, inherit
from learner.counts.dense import FUSED, INTENT, Dense, empty_dense
from learner.counts.events import ItemEvents, item_events, past_of
from learner.counts.repeats import may_return
from learner.fused.histories import HistoryBatch, history_batch
from learner.fused.model import FusedModel
from learner.objectives.rates import Lifts, Rates
from learner.ranking.affinity import empty_scratch, widened
from learner.ranking.candidates import COLD_DEPTH
from learner.ranking.explain import FAIRNESS, lifted, reasons, tell_lifts
from learner.ranking.explore import draw, propensities
from learner.ranking.fatigue import disliked, hidden
from learner.ranking.lists import Lists, Wishes, list_block
from learner.ranking.names import DENSE
from learner.ranking.near import look_around, one_by_one
from learner.ranking.parameters import RankingParameters
from learner.variety.kin import KinTable
from upwell.ports import RankRequest
from upwell.recommendations import Entry
from upwell.values import CatalogueItem, Interaction

if TYPE_CHECKING:
    from upwell.settings import LearnerSettings

__all__ = ["BLOCK", "Ranking"]

Named = list[tuple[int, float]]
"""Rows whose titles are written like a user's words, with their likeness."""

BLOCK = 256
"""Users whose dense signals are held at once."""
NEAR = 100
"""Items that a search finds for a signal, at least."""
_REASONS = 8
_TITLES = 10  # written like a user's words, that are candidates
_EXACT = 5.0
"""A title that is the words, in z-scores: as the best of some hundred intents. Likeness is squared,
so that titles that share some letters with the words hardly count.
"""


class Ranking:
    """Catalogue, counts and working memory, grown together. Not thread-safe. lift: by row, is added
    to scores and told as the share `fairness`; empty where nothing is. rates: of what follows a
    click.
    """

    def __init__(self, settings: LearnerSettings, dimension: int) -> None:
        self.settings = settings
        self.catalogue = Catalogue(dimension, settings.exact_items, settings.relations_apart)
        self.rules = RuleTable(self.catalogue)
        self.kin = KinTable()
        self.counts = Counts(settings.neighbours)
        self.scratch = empty_scratch()
        self.lift = np.zeros(0)
        self.rates = Rates()
        self._capacity = 0
        self._dense = np.zeros((len(DENSE), BLOCK, 0), np.float32)

    def announce(self, items: Sequence[CatalogueItem]) -> NDArray[np.int64]:
        """Announces or replaces items; the rows whose text vectors are new. Raises `ModelError`
        where one has another dimension.
        """
        self.rules.stale()
        self.rates.stale()
        changed = self.catalogue.announce(items)
        self.kin.put([self.catalogue.ensure(item.item_id) for item in items], items)
        return changed

    def state(self) -> CountState:
        """The arrays of all counts, with room for every row."""
        capacity = self.catalogue.capacity
        if self._capacity < capacity:
            self._capacity = capacity
            self.counts.grow(capacity)
        width = 0 if self.catalogue.graph.large else capacity
        if self._dense.shape[2] != width:
            self._dense = np.zeros((len(DENSE), BLOCK, width), np.float32)
        features = self.catalogue.features.state
        if self.scratch.affinity.shape[0] < capacity or self.scratch.taste.shape[1] != len(
            features.worth
        ):
            self.scratch = widened(self.scratch, capacity, len(features.worth))
        state = self.counts.state(
            self.catalogue.graph.state, features, self.catalogue.relations.state
        )
        moved = self.catalogue.graph.take_moved()
        if len(moved):
            inherit(state, moved, len(self.catalogue), self.catalogue.graph.large)
        return state

    def events(self, histories: Sequence[Sequence[Interaction]], create: bool) -> ItemEvents:
        """Histories by rows; `create`: an item nobody announced gets a row too."""
        return item_events(histories, self.catalogue.ensure if create else self.catalogue.row)

    def dense(
        self,
        users: HistoryBatch,
        fused: FusedModel | None,
        blocked: Sequence[Sequence[int]] | None = None,
        categories: Sequence[str | None] | None = None,
    ) -> tuple[Dense, NDArray[np.bool_]]:
        """What the intent and the fused model say of items to at most `BLOCK` users, and of whom
        they say something. Both are for the blocks of these users alone, valid until the next call.

        blocked, categories: what a search leaves out, where it is to stay.
        """
        count, rows = len(users.lengths), len(self.catalogue)
        on = np.zeros((max(1, count), len(DENSE)), np.bool_)
        wished = np.flatnonzero(users.intents.any(axis=1))
        on[wished, INTENT] = True
        on[:count, FUSED] = fused is not None and fused.ready
        own = np.zeros((count, 0), np.float32)
        if fused is not None and fused.ready and count:
            own = fused.user_vectors(users)
        if self.catalogue.graph.large:
            most = max(NEAR, self.settings.candidates + COLD_DEPTH)
            dense = one_by_one(self.catalogue, users.intents, own, fused, most)
            none = [()] * count
            look_around(self.catalogue, dense, on, blocked or none, categories or [None] * count)
            return dense._replace(scores=self._dense), on
        products(users.intents, self.catalogue.graph.vectors[:rows], wished, self._dense[INTENT])
        if fused is not None and own.size:
            products(own, fused.item_matrix(), np.arange(count), self._dense[FUSED])
        return empty_dense()._replace(scores=self._dense), on

    # ---- lists

    def rank(
        self, requests: Sequence[RankRequest], parameters: RankingParameters
    ) -> list[tuple[Entry, ...]]:
        """A list for each request, best first; pinned items stand first."""
        return under_decisions(
            self.catalogue,
            requests,
            lambda asked: [
                self._entries(lists, user, request)
                for lists, some in self.lists(asked, parameters, self._lifts())
                for user, request in enumerate(some)
            ],
        )

    def lists(
        self, requests: Sequence[RankRequest], parameters: RankingParameters, lifts: Lifts
    ) -> Iterator[tuple[Lists, Sequence[RankRequest]]]:
        """The same as rows, a block of requests at a time. lifts: by share, what is added."""
        for start in range(0, len(requests), BLOCK):
            some = requests[start : start + BLOCK]
            yield self._lists(some, parameters, lifts), some

    def top(
        self, requests: Sequence[RankRequest], parameters: RankingParameters
    ) -> Iterator[tuple[list[str], bool]]:
        """The item ids of each list, without lifts, and whether all their scores are finite."""
        for lists, some in self.lists(requests, parameters, {}):
            for user in range(len(some)):
                rows = [int(row) for row in lists.rows[user] if row >= 0]
                finite = bool(np.isfinite(lists.shares[user]).all())
                yield [self.catalogue.ids[row] for row in rows], finite

    def _lifts(self) -> Lifts:
        features, rows = self.state().features, len(self.catalogue)
        return {FAIRNESS: self.lift, **self.rates.terms(self.settings.objectives, features, rows)}

    def _lists(
        self, requests: Sequence[RankRequest], parameters: RankingParameters, lifts: Lifts
    ) -> Lists:
        state = self.state()
        named = [self._named(request) for request in requests]
        events = self.events([request.state.history for request in requests], create=False)
        intents = [request.state.intent for request in requests]
        users = history_batch(events, intents, self.catalogue.dimension)
        again = self.returns(parameters)
        blocked = [
            self._blocked(request, some, again)
            for request, some in zip(requests, named, strict=True)
        ]
        categories = [request.category for request in requests]
        block = block_of(
            past_of(events),
            blocked,
            [request.state.events for request in requests],
            np.arange(len(requests)),
            *self.dense(users, parameters.fused, blocked, categories),
            at=[one.at or 0 for one in requests] if self.settings.lifetime == "learned" else None,
            again=again,
        )
        wishes = self._wishes(requests, named)._replace(boost=lifted(self.catalogue.boost, lifts))
        lists = Lists.empty(len(requests), int(wishes.k.max()))
        parameters.gate.grow(len(self.catalogue))
        if len(self.catalogue):
            list_block(
                state,
                parameters.gate.state,
                self.scratch,
                block,
                wishes,
                self.kin.variety(self.catalogue.graph.vectors, self.settings),
                self.settings.candidates,
                len(self.catalogue),
                lists,
            )
        tell_lifts(lists.rows, lists.shares, self.catalogue.boost, lifts)
        return lists

    def _named(self, request: RankRequest) -> Named:
        asked = None if request.reviewed else request.words
        return self.catalogue.lexical.search(asked, _TITLES) if asked else []

    def returns(self, parameters: RankingParameters) -> bool:
        """Whether lists may show what their user had, as the settings and the parameters say."""
        return self.settings.repeats == "learned" and may_return(parameters.gate.state.repeats)

    def _blocked(self, request: RankRequest, named: Named, again: bool) -> tuple[int, ...]:
        """What the list leaves out: what the user hid, and what they had, unless their words name
        it or it may return.
        """
        had = set() if again else set(self.catalogue.rows(request.state.had))
        had.difference_update(row for row, likeness in named if likeness >= NAMED)
        gone = (*request.exclude, *hidden(request.state.history))
        return tuple(had.union(self.catalogue.rows(gone)))

    def _wishes(self, requests: Sequence[RankRequest], named: Sequence[Named]) -> Wishes:
        masks, mask = self.rules.masks([(one.category, one.at) for one in requests])
        k = [min(max(0, request.k), len(self.catalogue)) for request in requests]
        lots = [draw(self.settings.seed, one.lot or "", self._chance(one)) for one in requests]
        return Wishes(
            masks,
            mask,
            np.array(k, np.int64),
            self.catalogue.promoted,
            self.catalogue.boost,
            self.catalogue.pinned,
            np.array(
                [self.settings.search_weight if _searched(request) else 0.0 for request in requests]
            ),
            np.array(lots),
            *padded([[(row, _EXACT * likeness**2) for row, likeness in some] for some in named]),
            *padded([self._rows(request.worn) for request in requests]),
        )

    def _rows(self, worn: Mapping[str, float]) -> Named:
        """What the user was shown and left, of what has a row, by descending row."""
        found = ((self.catalogue.row(item_id), count) for item_id, count in worn.items())
        return sorted(((row, count) for row, count in found if row is not None), reverse=True)

    def _chance(self, request: RankRequest) -> float:
        """Of exploring; none where nobody is shown the list."""
        return 0.0 if request.lot is None else self.settings.explore

    def _entries(self, lists: Lists, user: int, request: RankRequest) -> tuple[Entry, ...]:
        rows = [int(row) for row in lists.rows[user] if row >= 0]
        explored = bool(lists.explored[user])
        chances = propensities(len(rows), int(lists.pool[user]), self._chance(request), explored)
        against = frozenset(self.catalogue.rows(disliked(request.state.history)))
        return tuple(
            Entry(
                item_id=self.catalogue.ids[row],
                score=float(lists.shares[user, place].sum()),
                reasons=reasons(
                    lists.shares[user, place],
                    lists.because[user, place].tolist(),
                    self.catalogue.named,
                    request.words,
                    _REASONS,
                    against,
                    partial(self.catalogue.related, row),
                ),
                title=self.catalogue.title(row),
                propensity=chances[place],
                explored=explored and place == len(rows) - 1,
            )
            for place, row in enumerate(rows)
        )


def _searched(request: RankRequest) -> bool:
    """Whether the user just said in words what they want, or has done nothing else."""
    history = request.state.history
    return request.words is not None or not history or history[-1].item_id is None
