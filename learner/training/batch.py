"""A mini-batch with all that is drawn for it, and how much of what is drawn. It knows nothing about
losses.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from learner.training.buffer import Windows
from learner.training.negatives import Negatives
from learner.training.windows import TrainingTargets

__all__ = ["MiniBatch", "Tuning"]


@dataclass(frozen=True, slots=True)
class Tuning:
    """windows: of a step. uniform, popular: draws of negatives. positions: most targets of a step.
    thin: most of a window left out.

    disliked: weight of targets that were no likes. dropout: of event vectors; id_dropout: of
    identities, so that text must carry items. rating_weight: of the squared error.
    propensity_power: of popularity in the weights. temperature: of InfoNCE.
    """

    windows: int = 24
    uniform: int = 256
    popular: int = 256
    positions: int = 2_048
    thin: float = 0.6
    disliked: float = 0.3
    dropout: float = 0.1
    id_dropout: float = 0.1
    rating_weight: float = 0.05
    propensity_power: float = 0.5
    temperature: float = 0.2


@dataclass(frozen=True)
class MiniBatch:
    """Windows with all that is drawn for them. rows: (U,) the items that occur, ascending; places:
    (n, L + 1) their numbers.

    identities: (U, m + 1), a leaf. texts: (U, d). counts: (U,). keep: (U, 1) identities not
    dropped. noise: (n, L, m) dropout's mask.
    """

    windows: Windows
    targets: TrainingTargets
    negatives: Negatives
    rows: NDArray[np.int64]
    places: NDArray[np.int64]
    identities: Tensor
    texts: Tensor
    counts: Tensor
    keep: Tensor
    noise: Tensor | None

    @cached_property
    def at(self) -> tuple[Tensor, Tensor]:
        """Where the targets stand."""
        device = self.texts.device
        return torch.from_numpy(self.targets.window).to(device), torch.from_numpy(
            self.targets.place
        ).to(device)
