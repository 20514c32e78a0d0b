"""A list made again: a replica is taken through all that the worker's was, up to the call that made
the list, and is asked the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from safetensors.numpy import load

from learner.release.delta import decode
from learner.release.replica import Replica
from stream.explain.evidence import BASE, LISTS, Evidence, Kept, Step
from stream.explain.packed import (
    unpack,
    unpack_entries,
    unpack_items,
    unpack_lift,
    unpack_request,
    unpack_rules,
)
from stream.explain.recorded import DELTA, FORMAT, ITEMS, RULES, STEP
from upwell.errors import ModelError
from upwell.ports import RankRequest
from upwell.recommendations import Entry
from upwell.settings import LearnerSettings
from upwell.system.hardware import hardware
from upwell.values import UserState

__all__ = ["Again", "make_again"]

Told = Mapping[str, Any]
_BEFORE = {"same_group": 0}
"""Settings by which lists were made before there was one, where that is not the default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """kept: the list as it was published; entries: as it is made now. replica: as the worker's was,
    to be asked with `lift`. begun: when the worker's began anew, UTC ms, and how many `steps` it
    took since. missing: of the lists of the same call that are gone, how many. processor: where it
    was made, and here where that is another.
    """

    kept: Kept
    request: RankRequest
    published: tuple[Entry, ...]
    entries: tuple[Entry, ...]
    version: str
    made_version: str
    replica: Replica
    lift: np.ndarray[Any, np.dtype[np.float64]]
    begun: int
    steps: int
    missing: int
    processor: str
    other_processor: str | None

    @property
    def same(self) -> bool:
        """To the digit: items, places, scores, reasons, propensities, and the model's version."""
        return self.entries == self.published and self.version == self.made_version

    def rank(self, requests: Sequence[RankRequest]) -> list[tuple[Entry, ...]]:
        """What the worker would have answered, had it been asked these."""
        return _ranked(self.replica, requests, self.lift)


def make_again(evidence: Evidence, kept: Kept) -> Again:
    """Raises `ModelError` where something that it needs is not held, saying what."""
    steps = evidence.before(kept.step)
    head, replica = _begun(next(steps, None), kept)
    taken = 0
    told: Told = {}
    delta: Iterator[None] = iter(())
    for step in steps:
        taken += 1
        if step.kind == LISTS:
            told = unpack(step.value)
            if step.number != kept.step:
                _ask_anything(replica)
        elif step.kind == STEP:
            next(delta, None)
        else:
            delta = _taken_in(replica, step)
    return _made(evidence, kept, replica, told, head, taken)


def _made(
    evidence: Evidence, kept: Kept, replica: Replica, told: Told, head: Told, taken: int
) -> Again:
    beside = {one.place: unpack_request(one.request) for one in evidence.of_step(kept.step)}
    own = unpack_request(kept.request)
    nobody = replace(own, state=_nobody(replica), list_id="", exclude=(), words=None, worn={})
    asked = [beside.get(place, nobody) for place in range(told["size"])]
    lift = unpack_lift(told["lift"])
    here = hardware()
    return Again(
        kept=kept,
        request=own,
        published=unpack_entries(kept.entries),
        entries=_ranked(replica, asked, lift)[kept.place],
        version=told["version"],
        made_version=replica.version,
        replica=replica,
        lift=lift,
        begun=head["at"],
        steps=taken,
        missing=told["size"] - len(beside),
        processor=head["processor"],
        other_processor=None if here == head["processor"] else here,
    )


def _begun(step: Step | None, kept: Kept) -> tuple[Told, Replica]:
    """What it began from, and a replica that has."""
    if step is None or step.kind != BASE:
        raise ModelError(
            f"list {kept.list_id} cannot be made again: what the model began from before it is no "
            "longer held (UPWELL_EXPLAIN hours have passed, or the file was cut)"
        )
    lengths = [int.from_bytes(step.value[at : at + 8], "little") for at in range(0, 32, 8)]
    parts, start = [], 32
    for length in lengths:
        parts.append(step.value[start : start + length])
        start += length
    head = unpack(parts[0])
    if head["format"] != FORMAT:
        raise ModelError(
            f"list {kept.list_id} was kept by another version of Upwell (format "
            f"{head['format']}, this one reads {FORMAT}): make it again with that one"
        )
    replica = Replica(LearnerSettings(**_BEFORE | head["settings"]), head["dimension"])
    replica.add_items(unpack_items(parts[2]))
    replica.take_rules(unpack_rules(parts[3]))
    if head["meta"] is not None:
        replica.restore(load(parts[1]), head["meta"])
    return head, replica


def _taken_in(replica: Replica, step: Step) -> Iterator[None]:
    """The steps of a delta; of all else nothing is left to do."""
    if step.kind == ITEMS:
        replica.add_items(unpack_items(step.value))
    elif step.kind == RULES:
        replica.take_rules(unpack_rules(step.value))
    elif step.kind == DELTA:
        return replica.apply(decode(step.value))
    else:
        raise ModelError(f"step {step.number} is of an unknown kind, {step.kind!r:.40}")
    return iter(())


def _ask_anything(replica: Replica) -> None:
    """A call makes anew what the fused model keeps of items that changed; whom it is for does not
    matter to that.
    """
    replica.rank([RankRequest(state=_nobody(replica), k=1)])


def _nobody(replica: Replica) -> UserState:
    return UserState(user="", intent=np.zeros(replica.dimension, np.float32))


def _ranked(
    replica: Replica, requests: Sequence[RankRequest], lift: np.ndarray[Any, np.dtype[np.float64]]
) -> list[tuple[Entry, ...]]:
    replica.ranking.lift = lift
    try:
        return replica.rank(requests)
    finally:
        replica.ranking.lift = np.zeros(0)
