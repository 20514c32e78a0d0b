"""What a run of fine-tuning is told. Values; neither torch nor transformers is loaded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from upwell.errors import SettingsError

__all__ = ["METHODS", "Objective", "Options", "Schedule", "layers_of"]

METHODS: Mapping[str, float] = {
    "lora": 1e-4,
    "adalora": 1e-3,
    "ia3": 1e-3,
    "prefix": 1e-3,
    "top": 2e-5,
}
"""And the learning rate of each, unless another is given."""
_TOP = re.compile(r"top:([1-9]\d{0,2})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Objective:
    """What is minimised: InfoNCE at `temperature`, plus `mlm` times masked-language modelling, plus
    InfoNCE with word embeddings moved by `adversarial` (of their own length, in the direction of
    the gradient; 0 for none).
    """

    temperature: float = 0.1
    mlm: float = 0.1
    adversarial: float = 0.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """steps: of the optimizer, at most. batch: pairs whose texts are each other's negatives.
    accumulate: batches a step. rate: the highest learning rate, None for the method's own. every:
    steps from one validation and checkpoint to the next. patience: validations in a row that may
    bring nothing.
    """

    steps: int = 300
    batch: int = 64
    accumulate: int = 1
    rate: float | None = None
    every: int = 50
    patience: int = 3


@dataclass(frozen=True, slots=True)
class Options:
    """method: one of `METHODS`, `top` as `top:N`. Raises `SettingsError` for another."""

    method: str = "lora"
    objective: Objective = Objective()
    schedule: Schedule = Schedule()
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in METHODS.keys() - {"top"} and layers_of(self.method) is None:
            raise SettingsError(
                f"--method {self.method!r:.40}: must be lora, adalora, ia3, prefix or top:N, N the "
                "number of last layers to train"
            )

    @property
    def rate(self) -> float:
        """The highest learning rate."""
        return self.schedule.rate or METHODS[self.method.partition(":")[0]]

    @property
    def merges(self) -> bool:
        """Whether the result is weights of the same model: a prefix is not."""
        return self.method != "prefix"


def layers_of(method: str) -> int | None:
    """N of `top:N`; None for another method."""
    found = _TOP.fullmatch(method)
    return int(found[1]) if found else None
