"""From requests to lists of entries: what is wanted as arrays, one compiled call, and rows back to ids, titles and reasons.

It knows nothing about learning, nor about how a user's signals come about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from learner.block import Block
from learner.catalogue import Catalogue
from learner.counts import CountState
from learner.explain import reasons
from learner.explore import draw, propensities
from learner.gate import GateState
from learner.lists import Lists, Wishes, list_block
from learner.signals.affinity import Scratch
from upwell.ports import RankRequest
from upwell.recommendations import Entry
from upwell.settings import LearnerSettings

__all__ = ["Model", "rank_block"]

_REASONS = 8


@dataclass(frozen=True, slots=True)
class Model:
    """What ranks: counts and gate (read), scratch (written to), the catalogue. seed: of the lots that explore."""

    state: CountState
    gate: GateState
    scratch: Scratch
    catalogue: Catalogue
    seed: int


def rank_block(model: Model, settings: LearnerSettings, requests: Sequence[RankRequest], block: Block) -> list[tuple[Entry, ...]]:
    """A list for each request, best first; `block`: the requests' users, in the same order, each with a slot."""
    wishes = _wishes(model, settings, requests)
    lists = Lists.empty(len(requests), int(wishes.k.max()))
    list_block(model.state, model.gate, model.scratch, block, wishes, settings.candidates, len(model.catalogue), lists)
    return [_entries(model.catalogue, lists, user, request, _chance(settings, request)) for user, request in enumerate(requests)]


def _chance(settings: LearnerSettings, request: RankRequest) -> float:
    """Of exploring: a list without a trigger is nobody's, and none is drawn for it."""
    return 0.0 if request.trigger is None else settings.explore


def _wishes(model: Model, settings: LearnerSettings, requests: Sequence[RankRequest]) -> Wishes:
    catalogue = model.catalogue
    categories = sorted({request.category for request in requests if request.category is not None})
    masks = [catalogue.allowed, *(catalogue.in_category(category) for category in categories)]
    mask = [0 if request.category is None else 1 + categories.index(request.category) for request in requests]
    k = [min(max(0, request.k), len(catalogue)) for request in requests]
    return Wishes(
        np.stack(masks),
        np.array(mask, np.int64),
        np.array(k, np.int64),
        catalogue.promoted,
        catalogue.boost,
        catalogue.pinned,
        np.array([settings.search_weight if _searched(request) else 0.0 for request in requests]),
        np.array([draw(model.seed, request.trigger or "", _chance(settings, request)) for request in requests]),
    )


def _entries(catalogue: Catalogue, lists: Lists, user: int, request: RankRequest, chance: float) -> tuple[Entry, ...]:
    rows = [int(row) for row in lists.rows[user] if row >= 0]
    explored = bool(lists.explored[user])
    chances = propensities(len(rows), int(lists.pool[user]), chance, explored)
    return tuple(
        Entry(
            item_id=catalogue.ids[row],
            score=float(lists.shares[user, place].sum()),
            reasons=reasons(lists.shares[user, place], lists.because[user, place].tolist(), catalogue.title, request.words, _REASONS),
            title=catalogue.title(row),
            propensity=chances[place],
            explored=explored and place == len(rows) - 1,
        )
        for place, row in enumerate(rows)
    )


def _searched(request: RankRequest) -> bool:
    """Whether the user just said in words what they want, or has done nothing else."""
    history = request.state.history
    return request.words is not None or not history or history[-1].item_id is None
