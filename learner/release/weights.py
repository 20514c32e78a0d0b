"""What the guard watches over: the gate's weights and the fused model's, handed on, taken over and
replaced as one.

Rows are those of one process. It knows nothing about counts, and nothing about who may take over
from whom.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.catalogue.kernel import room
from learner.fused.fusion import Fusion
from learner.ranking.explain import UPTAKE
from learner.ranking.gate import PER_SIGNAL, GateState, widened
from learner.ranking.names import SIGNALS

__all__ = ["ROWS", "Arrays", "Weights", "part"]

Arrays = dict[str, NDArray[Any]]

ROWS = {"gate.rows": "gate.bias", "fused.rows": "fused.identities"}
"""Arrays of row numbers, and what they number."""


@dataclass
class Weights:
    """fusion: None where the fused model is off. All arrays that go in or out are named `gate.*`
    and `fused.*`.
    """

    gate: GateState
    fusion: Fusion | None
    biased: bool = True

    @property
    def digest(self) -> str:
        """Eight hex digits of the gate: the same on a replica that is level."""
        return f"{zlib.crc32(self.gate.weights.tobytes()):08x}"

    def published(self) -> Arrays:
        """The gate as it stands, and what of the fused model changed since the last call."""
        fused = {} if self.fusion is None else self.fusion.published()
        moved = np.flatnonzero(self.gate.moved).astype(np.int32)
        self.gate.moved[:] = False
        return self._gate(moved) | {f"fused.{name}": array for name, array in fused.items()}

    def follow(self, arrays: Mapping[str, NDArray[Any]], size: int) -> None:
        """Take over `published()`.

        size: rows there are. Raises `ModelError` where it does not fit or is not finite.
        """
        self._take_gate(arrays, size)
        fused = part(arrays, "fused.")
        if self.fusion is not None and fused:
            self.fusion.follow(fused, size)

    def following(self, arrays: Mapping[str, NDArray[Any]], size: int) -> Iterator[None]:
        """`follow` in bounded steps; all of it takes effect with the last."""
        fused = part(arrays, "fused.")
        if self.fusion is not None and fused:
            yield from self.fusion.following(fused, size)
        self._take_gate(arrays, size)

    def whole(self) -> Arrays:
        """Everything that ranks: `adopt` makes any other weights the same."""
        fused = {} if self.fusion is None else self.fusion.served()
        return self.whole_gate() | {f"fused.{name}": array for name, array in fused.items()}

    def whole_gate(self) -> Arrays:
        """The gate's part of it."""
        return self._gate(np.flatnonzero(self.gate.bias).astype(np.int32))

    def adopt(self, arrays: Mapping[str, NDArray[Any]], size: int) -> None:
        """Become the weights whose `whole()` these are.

        Raises `ModelError` where they do not fit or are not finite.
        """
        self.adopt_gate(arrays, size)
        fused = part(arrays, "fused.")
        if self.fusion is not None and fused:
            self.fusion.adopt(fused, size)

    def adopt_gate(self, arrays: Mapping[str, NDArray[Any]], size: int) -> None:
        """The same with a `whole_gate()`."""
        self.gate.bias[:] = 0.0
        self.gate.moved[:] = False
        self._take_gate(arrays, size)

    def grow(self, size: int) -> None:
        """Makes room for `size` items."""
        if self.biased and size > len(self.gate.bias):
            self.gate = widened(self.gate, room(size, len(self.gate.bias)))

    def count(self, rows: NDArray[np.int32], size: int) -> None:
        """What the learner counted: one more event for each of `rows`."""
        if self.fusion is not None:
            self.fusion.count(rows, size)

    def share_text(self, other: Weights, rows: NDArray[np.int64], size: int) -> None:
        """Read the text vectors that `other` was given for `rows`."""
        if self.fusion is not None and other.fusion is not None:
            self.fusion.share_text(other.fusion, rows, size)

    def mute(self, signals: Sequence[str]) -> None:
        """Holds the weights of `signals` at zero from here on, for an ablation; `UPTAKE` stands for
        the items' biases.

        Raises `ValueError` for an unknown name.
        """
        self.biased = self.biased and UPTAKE not in signals
        for signal in (one for one in signals if one != UPTAKE):
            first = PER_SIGNAL * SIGNALS.index(signal)
            self.gate.weights[:, first : first + PER_SIGNAL] = 0.0
            self.gate.squares[:, first : first + PER_SIGNAL] = np.inf  # AdaGrad's step is then zero

    def _gate(self, rows: NDArray[np.int32]) -> Arrays:
        gate = self.gate
        return {
            "gate.weights": gate.weights.copy(),
            "gate.squares": gate.squares.copy(),
            "gate.rows": rows,
            "gate.bias": gate.bias[rows],
        }

    def _take_gate(self, arrays: Mapping[str, NDArray[Any]], size: int) -> None:
        if "gate.weights" in arrays:
            self.grow(size)
            self.gate = self.gate._replace(
                weights=np.array(arrays["gate.weights"]), squares=np.array(arrays["gate.squares"])
            )
            self.gate.bias[arrays["gate.rows"]] = arrays["gate.bias"]


def part(arrays: Mapping[str, NDArray[Any]], prefix: str) -> Arrays:
    """Those whose names begin with `prefix`, without it."""
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }
