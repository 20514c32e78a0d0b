"""What the guard watches over: the gate's weights and the fused model's, handed on, taken over and replaced as one.

Rows are those of one process. It knows nothing about counts, and nothing about who may take over from whom.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.fusion import Fusion
from learner.gate import PER_SIGNAL, GateState
from learner.signals.names import SIGNALS

__all__ = ["Arrays", "Weights", "part"]

Arrays = dict[str, NDArray[Any]]


@dataclass
class Weights:
    """fusion: None where the fused model is off. All arrays that go in or out are named `gate.*` and `fused.*`."""

    gate: GateState
    fusion: Fusion | None

    @property
    def digest(self) -> str:
        """Eight hex digits of the gate: the same on a replica that is level."""
        return f"{zlib.crc32(self.gate.weights.tobytes()):08x}"

    def published(self) -> Arrays:
        """The gate as it stands, and what a follower needs of the fused model since the last call."""
        fused = {} if self.fusion is None else self.fusion.published()
        return self._gate() | {f"fused.{name}": array for name, array in fused.items()}

    def follow(self, arrays: Mapping[str, NDArray[Any]], size: int) -> None:
        """Take over `published()`. size: rows there are. Raises `ModelError` where it does not fit or is not finite."""
        self._take_gate(arrays)
        fused = part(arrays, "fused.")
        if self.fusion is not None and fused:
            self.fusion.follow(fused, size)

    def following(self, arrays: Mapping[str, NDArray[Any]], size: int) -> Iterator[None]:
        """`follow` in bounded steps; all of it takes effect with the last."""
        fused = part(arrays, "fused.")
        if self.fusion is not None and fused:
            yield from self.fusion.following(fused, size)
        self._take_gate(arrays)

    def whole(self) -> Arrays:
        """Everything that ranks: `adopt` makes any other weights the same."""
        fused = {} if self.fusion is None else self.fusion.served()
        return self._gate() | {f"fused.{name}": array for name, array in fused.items()}

    def adopt(self, arrays: Mapping[str, NDArray[Any]], size: int) -> None:
        """Become the weights whose `whole()` these are. Raises `ModelError` where they do not fit or are not finite."""
        self._take_gate(arrays)
        fused = part(arrays, "fused.")
        if self.fusion is not None and fused:
            self.fusion.adopt(fused, size)

    def mute(self, signals: Sequence[str]) -> None:
        """Holds the weights of `signals` at zero from here on, for an ablation. Raises `ValueError` for an unknown name."""
        for signal in signals:
            first = PER_SIGNAL * SIGNALS.index(signal)
            self.gate.weights[:, first : first + PER_SIGNAL] = 0.0
            self.gate.squares[:, first : first + PER_SIGNAL] = np.inf  # AdaGrad's step is then zero

    def _gate(self) -> Arrays:
        return {f"gate.{name}": array.copy() for name, array in self.gate._asdict().items()}

    def _take_gate(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        if "gate.weights" in arrays:
            self.gate = GateState(np.array(arrays["gate.weights"]), np.array(arrays["gate.squares"]))


def part(arrays: Mapping[str, NDArray[Any]], prefix: str) -> Arrays:
    """Those whose names begin with `prefix`, without it."""
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
