"""A replica that keeps what it takes in and what it is asked, so that each of its lists can be made
again by another: the same steps in the same order come to the same bits.

Beginning from a checkpoint is where a way back ends, so it does that again every now and then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray
from safetensors.numpy import save

from learner.release.delta import ModelDelta, encode
from learner.release.replica import SERVING, Replica
from stream.explain.evidence import BASE, Evidence, evidence_file, remove
from stream.explain.packed import (
    pack,
    pack_entries,
    pack_items,
    pack_lift,
    pack_request,
    pack_rules,
)
from upwell.knowledge import Rule
from upwell.ports import RankRequest
from upwell.recommendations import Entry
from upwell.system.clock import now_ms
from upwell.system.hardware import hardware
from upwell.values import CatalogueItem

if TYPE_CHECKING:
    from upwell.settings import LearnerSettings, Settings

__all__ = ["DELTA", "FORMAT", "ITEMS", "RULES", "STEP", "RecordedReplica", "open_replica"]

ITEMS, RULES, DELTA, STEP = "items", "rules", "delta", "step"
FORMAT = 1
HOUR_MS = 3_600_000
BEGINNINGS = 4
"""In the time for which lists are kept."""
PRUNE_MS = 60_000
_NEEDED = ("counts.", "objectives.", SERVING, "fused.trainer.model.counts")
"""Of a checkpoint; the rest is the trainer's, users' windows among it."""


class RecordedReplica(Replica):
    """hours: for how long a list can be made again. clock_ms: UTC ms."""

    _inside = False  # another step, that is kept

    def __init__(
        self,
        settings: LearnerSettings,
        dimension: int,
        evidence: Evidence,
        hours: float,
        clock_ms: Callable[[], int] = now_ms,
    ) -> None:
        super().__init__(settings, dimension)
        self.evidence = evidence
        self._kept_ms = int(hours * HOUR_MS)
        self._clock_ms = clock_ms
        self._begun_ms = self._pruned_ms = clock_ms()
        self._begin_anew({}, None)

    @property
    def begins_again(self) -> bool:
        """See `Replica`."""
        return self._clock_ms() - self._begun_ms >= self._kept_ms // BEGINNINGS

    def add_items(self, items: Sequence[CatalogueItem]) -> None:
        """See `OnlineModel`."""
        if not self._inside:
            self.evidence.add(ITEMS, pack_items(items))
        super().add_items(items)

    def take_rules(self, told: Mapping[str, Rule | None]) -> None:
        """See `OnlineModel`."""
        if told and not self._inside:
            self.evidence.add(RULES, pack_rules(told))
        super().take_rules(told)

    def apply(self, delta: ModelDelta) -> Iterator[None]:
        """See `Replica`."""
        self.evidence.add(DELTA, encode(delta))
        steps = super().apply(delta)
        while True:
            self.evidence.add(STEP, b"")
            try:
                next(steps)
            except StopIteration:
                return
            yield

    def restore(self, arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]) -> None:
        """See `Replica`."""
        self._begin_anew(arrays, meta)
        self._inside = True
        try:
            super().restore(arrays, meta)
        finally:
            self._inside = False

    def forget_users(self, until: Mapping[str, int]) -> None:
        """See `Replica`."""
        self.evidence.forget(until)

    def rank(self, requests: Sequence[RankRequest]) -> list[tuple[Entry, ...]]:
        """See `OnlineModel`."""
        lists = super().rank(requests)
        now = self._clock_ms()
        told = {
            "version": self.version,
            "size": len(requests),
            "lift": pack_lift(self.ranking.lift),
        }
        rows = [
            (one.list_id, one.state.user, pack_request(one), pack_entries(entries))
            for one, entries in zip(requests, lists, strict=True)
        ]
        self.evidence.add_lists(pack(told), now, rows)
        if not 0 <= now - self._pruned_ms < PRUNE_MS:
            self._pruned_ms = now
            self.evidence.prune(now - self._kept_ms)
        return lists

    def _begin_anew(
        self, arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any] | None
    ) -> None:
        """What it is about to begin from: this checkpoint (None of nothing), and the items and
        rules that it has. Raises `StoreError`.
        """
        self._begun_ms = self._clock_ms()
        needed = {name: one for name, one in arrays.items() if name.startswith(_NEEDED)}
        known = [one for one in self._catalogue.items if one is not None]
        head = {
            "format": FORMAT,
            "at": self._begun_ms,
            "settings": asdict(self.settings),
            "dimension": self.dimension,
            "processor": hardware(),
            "meta": meta and {name: meta[name] for name in _META},
        }
        parts = [
            pack(head),
            save(needed),
            pack_items(known),
            pack_rules(self.ranking.rules.rules),
        ]
        lengths = b"".join(len(part).to_bytes(8, "little") for part in parts)
        self.evidence.add(BASE, lengths + b"".join(parts))


_META = ("items", "watermark", "learned", "dimension")


def open_replica(settings: Settings, dimension: int) -> Replica:
    """One that keeps what lists are made of, where `UPWELL_EXPLAIN` says so; else what was kept
    before goes. Raises `StoreError`.
    """
    hours = settings.stream.explain
    file = evidence_file(settings.data, settings.stream.instance)
    if not hours:
        remove(file)
        return Replica(settings.learner, dimension)
    return RecordedReplica(settings.learner, dimension, Evidence(file), hours)
