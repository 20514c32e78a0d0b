"""A ranker that is watched and, where bounds are set, held: it adds the terms of the bounds to the
scores of their groups, and counts the lists once they are published.

Within one batch the terms stay as they are, so the same requests have the same lists. What was
counted is in memory: a worker that starts again begins anew. It knows nothing about Kafka.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.counts.bands import POPULARITY
from learner.ranking.online import OnlineModel
from learner.ranking.ranking import Ranking
from learner.testing.figures import gini
from learner.testing.groups import activity_of
from stream.fairness.bound import Held
from stream.fairness.exposure import Exposure, discounts
from stream.fairness.groups import Bands, group_table, members
from stream.fairness.segments import SegmentLists
from stream.fairness.users import UserGroups
from upwell.ports import RankRequest
from upwell.recommendations import Entry
from upwell.settings import Bound, Settings, exposure_bounds, segment_names

__all__ = ["PROMOTED_MS", "REFRESH", "REPORT_MS", "FairRanker"]

REFRESH = 256
"""Lists, after which it is looked anew which items belong to a group."""
REPORT_MS = 10_000
"""A record is so old at most, while lists are published."""
PROMOTED_MS = 1_000
"""And so old at most after a promotion."""

Forgets = Callable[[Mapping[str, int]], None]
_Made = Sequence[tuple[RankRequest, Sequence[Entry]]]


class FairRanker:
    """A port's `Ranker` over `model`. One thread calls it; `record` may be called by another."""

    def __init__(
        self, model: OnlineModel, bounds: Sequence[Bound] = (), segments: Sequence[str] = ()
    ) -> None:
        self._model = model
        self._held = [Held.of(bound) for bound in bounds]
        self._exposure = Exposure()
        self._users = UserGroups()
        self._segments = SegmentLists(segments)
        self._tail = np.zeros(0, np.bool_)
        self._made: _Made = ()
        self._ranking: Ranking = model.ranking
        self._ids: list[str] = []
        self._masks: list[NDArray[np.bool_]] = []
        self._due = 0
        self._record: dict[str, Any] = {}
        self._record_ms = 0
        self._untold = False
        self._record_version = ""

    @classmethod
    def of(cls, settings: Settings, model: OnlineModel) -> FairRanker:
        """With the bounds and the segments that are set."""
        bounds = exposure_bounds(settings.stream.exposure)
        return cls(model, bounds, segment_names(settings.learner.fair_segments))

    @property
    def version(self) -> str:
        return self._model.version

    @property
    def record(self) -> Mapping[str, Any]:
        """JSON-ready, as of the last `published`; empty before the first list."""
        return self._record

    @property
    def held(self) -> tuple[Held, ...]:
        """The bounds, and where they stand."""
        return tuple(self._held)

    def rank(self, requests: Sequence[RankRequest]) -> list[tuple[Entry, ...]]:
        ranking = self._follow()
        ranking.lift = self._lift()
        try:
            lists = self._model.rank(requests)
        finally:
            ranking.lift = np.zeros(0)
        self._made = tuple(zip(requests, lists, strict=True))
        return lists

    def published(self, now_ms: int | None = None) -> None:
        """The lists that were made last are out. now_ms: UTC ms, for the record's sake; None where
        nobody reads one.
        """
        made, self._made = self._made, ()
        for request, entries in made:
            if entries:
                self._count(request, entries)
                self._untold = True
        if now_ms is not None:
            self.tell(now_ms)

    def forgetting(self, then: Forgets) -> Forgets:
        """What also forgets here whom (by pseudonym) it is told of; sums, which name none, stay."""

        def forget(until: Mapping[str, int]) -> None:
            for user in until:
                self._segments.members.forget(user)
            then(until)

        return forget

    def tell(self, now_ms: int) -> None:
        """Make the record anew where lists were counted since, and it is due. now_ms: UTC ms."""
        if self._untold and self._is_due(now_ms):
            self._record = {"at": now_ms, **self.report()}
            self._record_ms, self._record_version = now_ms, self.version
            self._untold = False

    def report(self) -> dict[str, Any]:
        """JSON-ready: `lists` that were counted, `gini` and `coverage` of the catalogue, `groups`
        of items, `users` by activity, `segments` of them that are named and their `gaps`, `bounds`.
        """
        ranking = self._follow()
        bands = Bands(ranking)
        exposure = self._exposure.values(bands.rows)
        items = int(np.count_nonzero(bands.listed))
        lately = self._exposure.lately(bands.rows)
        bounds = [one.bound for one in self._held]
        even = gini(np.where(bands.listed, exposure, 0.0), items)
        return {
            "lists": self._exposure.lists,
            "gini": None if np.isnan(even) else even,
            "coverage": float(np.count_nonzero(lately & bands.listed)) / max(1, items),
            "groups": group_table(ranking, bands, exposure, bounds),
            "users": self._users.report(),
            "segments": self._segments.report(),
            "gaps": self._segments.gaps(),
            "bounds": {
                one.bound.name: {"least": one.bound.least, "share": one.share, "term": one.term}
                for one in self._held
            },
        }

    def _is_due(self, now_ms: int) -> bool:
        age = now_ms - self._record_ms
        if age < 0 or age >= REPORT_MS:
            return True
        weights, before = (one.partition("-")[2] for one in (self.version, self._record_version))
        return age >= PROMOTED_MS and weights != before

    def _lift(self) -> NDArray[np.float64]:
        """(n,) what the bounds add; nothing where all are met."""
        lift = np.zeros(0)
        for one, mask in zip(self._held, self._masks, strict=True):
            if one.term > 0.0:
                lift = lift if len(lift) else np.zeros(len(mask))
                lift += one.term * mask
        return lift

    def _count(self, request: RankRequest, entries: Sequence[Entry]) -> None:
        catalogue = self._ranking.catalogue
        found = [catalogue.row(entry.item_id) for entry in entries]
        rows = np.array([row for row in found if row is not None], np.int64)
        if not len(rows):
            return
        self._exposure.add(rows)
        weights = discounts(len(rows))
        total = float(weights.sum())
        for place, (one, mask) in enumerate(zip(self._held, self._masks, strict=True)):
            known = rows < len(mask)
            shown = float(weights[known][mask[rows[known]]].sum())
            self._held[place] = one.after(shown, total) if mask.any() else one
        liked = [one.item_id for one in request.state.history if one.liked and one.item_id]
        features = self._ranking.state().features
        had = np.array(catalogue.rows(liked[-UserGroups.NEWEST :]), np.int64)
        band = int(activity_of(np.array([request.state.events]))[0])
        far = self._users.add(band, features.categories[had], features.categories[rows])
        tail = rows[rows < len(self._tail)]
        own = [name for name, tag in request.state.tags.items() if tag.on]
        least = float(weights[rows < len(self._tail)][self._tail[tail]].sum()) / total
        self._segments.add(request.state.user, own, far, least)

    def _follow(self) -> Ranking:
        """The model's items as they are now: after a restore they have other rows."""
        ranking = self._model.ranking
        if ranking is not self._ranking:
            self._exposure.move([ranking.catalogue.row(one) for one in self._ids])
            self._ranking, self._due = ranking, 0
        self._ids = ranking.catalogue.ids
        watched = self._held or self._segments.members.names
        if watched and (self._exposure.lists >= self._due or len(self._masks) < len(self._held)):
            bands = Bands(ranking)
            self._masks = [members(ranking, bands, one.bound) for one in self._held]
            self._tail = bands.by["popularity"] == POPULARITY.index("tail")
            self._due = self._exposure.lists + REFRESH
        return ranking
