"""What the learn process is told at its start."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.ranking.ranking import Ranking
from learner.release.folder import ModelsFolder
from learner.release.guard import Guard
from learner.training.learner import Learner
from stream.chain.policy import NO_POLICY, Policy

__all__ = ["LearnOptions", "unfollowed"]


def unfollowed(_: Mapping[Any, Sequence[Any]]) -> AbstractContextManager[None]:
    """No trace is kept of what is learned."""
    return nullcontext()


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnOptions:
    """home: the folder of this machine that the process owns, where it is asked things. folder: of
    the checkpoints. engine: whose learner it is, for the lock. alone: where another one learns it
    does not wait, but is refused. publish_ms: at most so long between an example learned and its
    delta. checkpoint_examples: how many between two checkpoints.

    batch_records: how many records of `examples` one poll may bring. warmup_examples: the figures
    start after so many. guard: the rule by which trained weights take over. groups: the rows of its
    groups. policy: blocks items of
    the catalogue. show: told each record for `metrics`. learning: around what is done with a poll's
    records of `examples`. ledgers: files that are copies of the ledger of erasures; the first must
    be written, or nothing is confirmed. quarantine: how strict, or off. quarantine_days: after
    which what waits in it is dropped. relearn: after so many erasures the learner that `anew` makes
    begins afresh; 0 is never. anew: none where learning once more of the same users is not allowed.
    relearn_reach: the share of what was learned that `examples` must
    still hold then.
    """

    prefix: str
    home: Path
    folder: ModelsFolder
    engine: str
    publish_ms: int
    checkpoint_examples: int
    alone: bool = False
    batch_records: int = 16
    warmup_examples: int = 0
    guard: Guard = Guard()
    groups: Callable[[Ranking], Sequence[NDArray[np.bool_]]] = lambda ranking: ()
    policy: Policy = NO_POLICY
    ledgers: Sequence[Path] = ()
    quarantine: str = "off"
    quarantine_days: float = 30.0
    relearn: int = 0
    relearn_reach: float = 1.0
    anew: Callable[[], Learner] | None = None
    show: Callable[[bytes], None] = lambda _: None
    learning: Callable[[Mapping[Any, Sequence[Any]]], AbstractContextManager[None]] = unfollowed
    client: Mapping[str, Any] = field(default_factory=dict)
