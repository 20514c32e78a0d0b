"""What ranks and is trained elsewhere: one contract, and the gate and the fused model under it as
one.

Rows are those of one process. It knows nothing about who trains, or about who may take over from
whom.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from learner.fused.digest import combined
from learner.fused.model import FusedModel
from learner.ranking.gate_parameters import Gate

__all__ = ["ROWS", "Arrays", "Parameters", "RankingParameters", "part", "prefixed", "settle"]

Arrays = dict[str, NDArray[Any]]

GATE, FUSED = "gate.", "fused."
ROWS = {
    "gate.rows": "gate.bias",
    "fused.rows": "fused.identities",
    "released.rows": "released.values",
    "released.movers": "released.moves",
    "objectives.rows": "objectives.sums",  # no parameters: they go out with the counts
}
"""Arrays of row numbers, and what they number."""


class Parameters(Protocol):
    """Called by whoever owns them: a learner, a guard, a replica. `take` blocks for a step; all
    else for as long as copying takes.

    Guarantees: others that `take` each `changes()` in turn, or the `whole()` once as a whole, rank
    the same, to the bit.
    """

    def changes(self) -> Arrays:
        """What others need since the last call, or since the beginning."""
        ...

    def whole(self) -> Arrays:
        """All that ranks."""
        ...

    def take(self, arrays: Mapping[str, NDArray[Any]], whole: bool = False) -> Iterator[None]:
        """Take over `changes()` of others, or their `whole()`, in bounded steps; all of it takes
        effect with the last.

        Raises `ModelError` where they do not fit or are not finite, and is then what it was.
        """
        ...


class RankingParameters:
    """Arrays are named `gate.*` and `fused.*`. fused: None where the fused model is off."""

    def __init__(self, gate: Gate, fused: FusedModel | None) -> None:
        self.gate = gate
        self.fused = fused

    def _parts(self) -> Iterator[tuple[str, Parameters]]:
        if self.fused is not None:
            yield FUSED, self.fused
        yield GATE, self.gate

    def changes(self) -> Arrays:
        """See `Parameters`."""
        return {
            name: array
            for prefix, one in self._parts()
            for name, array in prefixed(prefix, one.changes()).items()
        }

    def whole(self) -> Arrays:
        """See `Parameters`."""
        return {
            name: array
            for prefix, one in self._parts()
            for name, array in prefixed(prefix, one.whole()).items()
        }

    def take(self, arrays: Mapping[str, NDArray[Any]], whole: bool = False) -> Iterator[None]:
        """See `Parameters`. A part that nothing is given for stays as it is."""
        for prefix, one in self._parts():
            if given := part(arrays, prefix):
                yield from one.take(given, whole)

    def forget(self, rows: NDArray[np.int64]) -> None:
        """Nothing is known of these rows by themselves."""
        self.gate.forget(rows)
        if self.fused is not None:
            self.fused.forget(rows)

    def digest(self, keys: NDArray[np.uint64]) -> str:
        """Eight hex digits of all that ranks, the same in every process that ranks by the same.

        keys: (N,) `item_keys` of the items.
        """
        rows, digests = self.gate.row_digests(len(keys))
        items, network = combined(keys[rows], digests), 0
        if self.fused is not None and self.fused.ready:
            network = self.fused.digest
            of_fused = self.fused.row_digests
            rows = np.flatnonzero(of_fused)
            items = (items + combined(keys[rows], of_fused[rows])) % 2**64
        found = zlib.crc32(self.gate.state.weights.tobytes())
        for small in (self.gate.state.wear, self.gate.state.lifetime, self.gate.state.repeats):
            found = zlib.crc32(small.tobytes(), found)
        for number in (network, items):
            found = zlib.crc32(number.to_bytes(8, "little"), found)
        return f"{found:08x}"


def settle(steps: Iterator[None]) -> None:
    """Takes all steps at once, where nobody waits for a list."""
    for _ in steps:
        pass


def part(arrays: Mapping[str, NDArray[Any]], prefix: str) -> Arrays:
    """Those whose names begin with `prefix`, without it."""
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def prefixed(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> Arrays:
    """The inverse."""
    return {prefix + name: array for name, array in arrays.items()}
