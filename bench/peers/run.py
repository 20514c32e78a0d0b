"""The peers over a stream: the protocol, written a second time and plainly, as a check of the
learner's own figures.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import orjson
from numpy.typing import NDArray

from bench.peers.baselines import Peer
from stream.replay.log import LogRecord
from upwell.values import LIKED_RATING, POSITIVE_KINDS

__all__ = ["COLD_EVENTS", "SLICES", "PeerEvent", "PeerRun", "mean", "mean_rank", "peer_events"]

SLICES = ("all", "cold_user", "cold_item", "warm")
COLD_EVENTS = 2


@dataclass
class Scores:
    """Ranks of tested targets, by slice."""

    ranks: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in SLICES})

    def add(self, rank: float, slices: list[str]) -> None:
        for name in slices:
            self.ranks[name].append(rank)

    def ndcg10(self) -> dict[str, float]:
        return {
            name: mean([1.0 / np.log2(1.0 + rank) if rank <= 10 else 0.0 for rank in ranks])
            for name, ranks in self.ranks.items()
        }

    def hr10(self) -> dict[str, float]:
        return {
            name: mean([float(rank <= 10) for rank in ranks]) for name, ranks in self.ranks.items()
        }


@dataclass(frozen=True)
class PeerEvent:
    """One event on an announced item, as the peers see it."""

    user: str
    row: int
    liked: bool


class PeerRun:
    """Peers that are tested on each target, then learn it."""

    def __init__(self, peers: dict[str, Peer], items: int) -> None:
        self.peers = peers
        self.scores = {name: Scores() for name in self.peers}
        self._history: dict[str, list[int]] = defaultdict(list)
        self._had: dict[str, set[int]] = defaultdict(set)
        self._events: dict[str, int] = defaultdict(int)
        self._item_events = np.zeros(items, dtype=np.int64)

    def see(self, event: PeerEvent, counted: bool) -> None:
        """Test, where the event is a target and the warm-up is over, then learn."""
        had, history = self._had[event.user], self._history[event.user]
        if counted and event.liked and event.row not in had:
            slices = self._slices(event)
            candidates = np.ones(len(self._item_events), dtype=bool)
            candidates[list(had)] = False
            for name, peer in self.peers.items():
                self.scores[name].add(
                    mean_rank(peer.score(event.user, history), event.row, candidates), slices
                )
        for peer in self.peers.values():
            peer.learn(event.user, history, event.row)
        history.append(event.row)
        had.add(event.row)
        self._events[event.user] += 1
        self._item_events[event.row] += 1

    def _slices(self, event: PeerEvent) -> list[str]:
        cold = []
        if self._events[event.user] <= COLD_EVENTS:
            cold.append("cold_user")
        if self._item_events[event.row] <= COLD_EVENTS:
            cold.append("cold_item")
        return ["all", *(cold or ["warm"])]


def peer_events(events: list[LogRecord], rows: dict[str, int]) -> Iterator[PeerEvent | None]:
    """What the peers see of each event; None for one that is on no announced item."""
    for record in events:
        value = orjson.loads(record.value)
        row = rows.get(value.get("item_id"))
        rating, action = value.get("rating"), value.get("action", "review")
        liked = action in POSITIVE_KINDS if rating is None else rating >= LIKED_RATING
        yield None if row is None else PeerEvent(value["user_id"], row, liked)


def mean_rank(scores: NDArray[np.float32], target: int, candidates: NDArray[np.bool_]) -> float:
    """Rank from 1 among the candidates; ties count half."""
    among = scores[candidates]
    return (
        1.0
        + float((among > scores[target]).sum())
        + (float((among == scores[target]).sum()) - 1.0) / 2.0
    )


def mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else 0.0
