"""A client's learner in a federation: it takes over what all learned together, goes on from there
with events of its own, and says what that changed. Events never leave it.

It knows nothing about logs, encoders or sockets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from learner.counts.popularity import HALF_LIVES, NEWCOMERS
from learner.federated.counted import Counted, Passed, empty_counted, read_counted
from learner.federated.layout import Layout
from learner.federated.report import Report
from learner.federated.state import BY_ITEM, GlobalModel, weights_of, whole_of
from learner.training.learner import Learner

__all__ = ["Site"]

_NEWCOMERS = NEWCOMERS + 1
"""The column by whose growth events of newcomers are told: of the longer half-life."""


@dataclass(slots=True)
class _Owed:
    """What no round has taken in yet."""

    passed: Passed
    counted: Counted


class Site:
    """Around one learner. texts: id → digest of the item's text, of what the client has. disputed:
    ids whose text is another one elsewhere.
    """

    def __init__(self, learner: Learner, texts: Mapping[str, str]) -> None:
        self.learner = learner
        self._texts = texts
        self._layout = Layout()
        self._rows = np.zeros(0, np.int64)
        self._places = np.zeros(0, np.int64)
        self._taken: GlobalModel | None = None
        self._owed = _Owed(Passed(), empty_counted(0))
        self.disputed: list[str] = []

    def take(self, model: GlobalModel, settled: bool, own_tables: bool = False) -> None:
        """Rank, and learn on, from the model of all. settled: what this client reported last is in
        it; where it is not, that is owed, and counted here beside it. own_tables: those of pairs
        are shared with nobody.
        """
        if settled:
            self._owed = _Owed(Passed(), empty_counted(0))
        self._place(model.layout)
        own = self._counted()
        shared = model.counted.placed(self._from_layout(), self.learner.items)
        here = np.where(self._places < 0, -1, np.arange(self.learner.items))
        owed = self._owed.counted.widened(self.learner.items)
        shared = shared.with_added(owed.placed(here, self.learner.items))
        counted = _beside(shared, own, self._places < 0)
        self._write(replace(counted, tables=own.tables) if own_tables else counted)
        weights = {
            name: one[self._places[self._rows]] if name in BY_ITEM else one
            for name, one in model.weights.items()
        }
        self.learner.go_on_from(whole_of(self.learner, weights, self._rows, model.ready))
        self._taken = model

    def learn(self, batches: Iterable[None], settled: bool = False) -> None:
        """Lets `batches` teach the learner, one after the other. settled: what they change was
        reported and taken in before this process began, and is not owed.
        """
        before, passed = self._counted(), Passed()
        clock, newcomers = before.clock, self._newcomers()
        for _ in batches:
            now, so_far = self._clock(), self._newcomers()
            more = max(0, round(so_far - newcomers))
            passed = passed.plus(Passed(now - clock, min(more, now - clock)))
            clock, newcomers = now, so_far
        added = self._counted().minus(before.widened(self.learner.items).decayed(passed))
        if not settled:
            owed = self._owed.counted.widened(self.learner.items)
            self._owed = _Owed(
                self._owed.passed.plus(passed), owed.decayed(passed).with_added(added)
            )

    def report(self) -> Report:
        """What is owed since the last report that was taken in, and how the weights moved since
        `take`.
        """
        model = self._taken
        assert model is not None, "take comes first"
        self._place(model.layout)  # items were announced since
        own = weights_of(self.learner, self._rows)
        moved: dict[str, NDArray[np.float32]] = {}
        for name, one in model.weights.items():
            moved[name] = np.zeros_like(one)
            if name in BY_ITEM:
                moved[name][self._places[self._rows]] = own[name]
                moved[name][self._places[self._rows]] -= one[self._places[self._rows]]
            else:
                moved[name] = own[name] - one
        fused = self.learner.parameters.fused
        counted = self._owed.counted.widened(self.learner.items)
        return Report(
            round=model.rounds,
            passed=self._owed.passed,
            weights=moved,
            counted=counted.placed(self._places, len(self._layout)),
            ready=fused is not None and fused.ready,
        )

    def _place(self, layout: Layout) -> None:
        self._layout = layout
        shared, self.disputed = layout.of(self._texts)
        rows = self.learner.ranking.catalogue
        self._places = np.full(self.learner.items, -1, np.int64)
        for item_id, place in shared.items():
            row = rows.row(item_id)
            if row is not None:
                self._places[row] = place
        self._rows = np.flatnonzero(self._places >= 0)

    def _from_layout(self) -> NDArray[np.int64]:
        """(places,) rows here, -1 for items that this client has not."""
        found = np.full(len(self._layout), -1, np.int64)
        found[self._places[self._rows]] = self._rows
        return found

    def _write(self, counted: Counted) -> None:
        """In place of all that is counted."""
        counted = replace(counted, clock=counted.clock + self._owed.passed.events)
        ranking = self.learner.ranking
        gone = np.ones(len(ranking.state().liked), np.bool_)
        ranking.counts.forget(gone, self.learner.items)
        ranking.counts.restore(counted.arrays())
        if self.learner.parameters.fused is not None:
            self.learner.parameters.fused.items.restore(counted.events)

    def _counted(self) -> Counted:
        self.learner.ranking.state()  # makes room for rows that were appended
        return read_counted(self.learner.ranking.counts, self.learner.items)

    def _clock(self) -> int:
        return int(self.learner.ranking.state().clock[0])

    def _newcomers(self) -> float:
        """Events of newcomers since the scale was 1; the scale begins anew once in
        400 · half-life of them, which is told as none.
        """
        scale = self.learner.ranking.state().popularity.scale[_NEWCOMERS]
        return float(HALF_LIVES[_NEWCOMERS] * np.log2(scale))


def _beside(shared: Counted, own: Counted, kept: NDArray[np.bool_]) -> Counted:
    """The shared counts, and a client's own of the items (n,) that it keeps to itself."""
    sums = np.where(kept, own.sums, shared.sums)
    keys = {name: one.rows for name, one in own.tables.items()}
    tables = {}
    for name, table in own.tables.items():
        local = kept[keys[name]] | kept[table.columns]
        tables[name] = shared.tables[name].joined(table, local)
    return Counted(
        sums,
        tables,
        np.where(kept, own.last, shared.last),
        np.where(kept, own.first, shared.first),
        shared.clock,
    )
