"""What a mini-batch of windows costs the fused model: the main loss, and the terms that settings
switch on.

Switched off, a term draws no random number and leaves the others as they are, to the bit. It knows
nothing about optimizers.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from learner.fused.histories import LENGTH
from learner.fused.network import Events
from learner.fused.shapes import WIDTH
from learner.fused.trained import TrainedModel
from learner.training import losses
from learner.training.batch import MiniBatch, Tuning
from learner.training.buffer import Windows
from learner.training.identities import Identities
from learner.training.negatives import NegativeSampler
from learner.training.ratings import Ratings
from learner.training.windows import targets_of, thinned, view
from upwell.settings import LearnerSettings

__all__ = ["Objective"]

_DAY_MS = 86_400_000.0
_OLDEST = -100.0  # half-lives that a float32 power of two still holds


class Objective:
    """The terms by name, weighed. identities: of the model's items, as they are trained. ratings:
    None where no rating head is trained.
    """

    def __init__(
        self,
        model: TrainedModel,
        identities: Identities,
        ratings: Ratings | None,
        settings: LearnerSettings,
        tuning: Tuning,
    ) -> None:
        self._model = model
        self._identities = identities
        self._ratings = ratings
        self._settings = settings
        self._tuning = tuning

    def prepare(
        self, windows: Windows, sampler: NegativeSampler, rng: np.random.Generator
    ) -> MiniBatch | None:
        """Draws targets, negatives and masks; None where nothing in the windows is a target."""
        tuning, model = self._tuning, self._model
        windows = thinned(windows, tuning.thin, rng)
        longest = int(windows.lengths.max(initial=0))
        if longest == 0:
            return None
        windows = _cut(windows, longest)
        targets = targets_of(windows, model.items.announced, tuning.disliked, tuning.positions, rng)
        if not len(targets.rows):
            return None
        negatives = sampler.draw(targets.rows, tuning.uniform, tuning.popular, rng)
        parts = [windows.rows.clip(min=0).ravel(), negatives.rows]
        rows, codes = np.unique(np.concatenate(parts), return_inverse=True)
        keep = rng.random((len(rows), 1)) >= tuning.id_dropout
        noise = None
        if tuning.dropout > 0 and longest > 1:
            kept = (
                rng.random((len(windows), longest - 1, WIDTH), dtype=np.float32) >= tuning.dropout
            )
            noise = model.tensor(kept.astype(np.float32) / np.float32(1 - tuning.dropout))
        return MiniBatch(
            windows=windows,
            targets=targets,
            negatives=negatives,
            rows=rows,
            places=codes[: windows.rows.size].reshape(windows.rows.shape),
            identities=model.tensor(self._identities.values[rows]).requires_grad_(),
            texts=model.tensor(model.items.vectors[rows]),
            counts=model.tensor(model.items.events[rows]),
            keep=model.tensor(keep.astype(np.float32)),
            noise=noise,
        )

    def parts(self, batch: MiniBatch, rng: np.random.Generator) -> dict[str, Tensor]:
        """The terms that are switched on, by name; their sum is what is trained. rng: for the terms
        beside the main loss.
        """
        settings = self._settings
        table = self._model.network.item_vectors(
            batch.texts, batch.identities * batch.keep, batch.counts
        )  # (U, m + 1)
        users = self._users(batch, table)
        weights = self._weights(batch)
        main = losses.softmax_cross_entropy(self._logits(batch, table, users), weights)
        parts = {"main": main}
        if settings.adversarial != "off":
            parts[settings.adversarial] = self._adversarial(batch, table, main, weights, rng)
        if settings.self_supervised:
            parts["sequence"] = settings.self_supervised_weight * self._sequence(batch, table, rng)
            parts["alignment"] = settings.self_supervised_weight * self._alignment(batch)
        if self._ratings is not None:
            parts["rating"] = self._tuning.rating_weight * self._rating(batch, table, users)
        return parts

    # ---- users and the main loss

    def _events(self, windows: Windows, places: NDArray[np.int64]) -> Events:
        """All but each window's newest event."""
        return self._model.events(
            places[:, :-1],
            windows.kinds[:, :-1],
            windows.ratings[:, :-1],
            windows.ts[:, :-1],
            np.maximum(windows.lengths - 1, 0),
        )

    def _users(self, batch: MiniBatch, table: Tensor) -> Tensor:
        """(n, L + 1, m): the user before each event of each window."""
        network = self._model.network
        events = self._events(batch.windows, batch.places)
        count, longest = batch.places.shape
        states = table.new_zeros(count, longest, WIDTH)
        if longest > 1:
            states = F.pad(network.states(table[:, :WIDTH], events, batch.noise), (0, 0, 1, 0))
        intents, wished = self._intents(batch, events)
        lengths = torch.arange(longest, device=table.device).expand(count, longest)
        return self._model.join(states, intents, lengths, wished)

    def _intents(self, batch: MiniBatch, events: Events) -> tuple[Tensor, Tensor]:
        """(n, L + 1, m) projected intents before each event, and whether there is one.

        The stored one holds for the newest event.
        """
        network, ts = self._model.network, batch.windows.ts[:, :-1]
        ages = (ts - batch.windows.ts.max(axis=1, keepdims=True)) / (
            self._settings.intent_half_life_days * _DAY_MS
        )
        weights = events.weights * torch.exp2(
            self._model.tensor(ages.clip(_OLDEST, 0.0).astype(np.float32))
        )
        projected = (batch.texts @ network.project)[events.items]  # (n, L, m)
        intents = F.pad((projected * weights.unsqueeze(-1)).cumsum(dim=1), (0, 0, 1, 0))
        wished = F.pad((weights != 0).cumsum(dim=1) > 0, (1, 0))
        stored = self._model.tensor(batch.windows.intents.astype(np.float32))
        given = stored.any(dim=1, keepdim=True)  # (n, 1)
        places = torch.arange(intents.shape[1], device=given.device)
        newest = (
            places == self._model.tensor(batch.windows.lengths - 1).unsqueeze(1)
        ) & given  # (n, L + 1)
        intents = torch.where(
            newest.unsqueeze(-1), (stored @ network.project).unsqueeze(1), intents
        )
        return intents, wished | newest

    def _logits(self, batch: MiniBatch, table: Tensor, users: Tensor) -> Tensor:
        """(P, 1 + K), the target first."""
        targets, negatives = batch.targets, batch.negatives
        chosen = F.pad(users[batch.at], (0, 1), value=1.0)  # (P, m + 1)
        places = np.searchsorted(batch.rows, targets.rows)
        common = table[self._model.tensor(np.searchsorted(batch.rows, negatives.rows))]
        collisions = self._model.tensor(targets.rows[:, None] == negatives.rows)
        inclusion = self._model.tensor(negatives.log_inclusion)
        return losses.corrected_logits(
            chosen, table[self._model.tensor(places)], common, inclusion, collisions
        )

    def _weights(self, batch: MiniBatch) -> Tensor:
        weights = self._model.tensor(batch.targets.weights)
        if not self._settings.propensity:
            return weights
        return weights * self._propensity_weights(batch.targets.rows)

    def _propensity_weights(self, rows: NDArray[np.integer[Any]]) -> Tensor:
        popularity = self._model.tensor(self._model.items.events[rows])
        return losses.inverse_propensity(
            popularity, self._tuning.propensity_power, self._settings.propensity_clip
        )

    # ---- terms behind settings

    def _adversarial(
        self,
        batch: MiniBatch,
        table: Tensor,
        main: Tensor,
        weights: Tensor,
        rng: np.random.Generator,
    ) -> Tensor:
        def logits_of(moved: Tensor) -> Tensor:
            return self._logits(batch, moved, self._users(batch, moved))

        epsilon = self._settings.adversarial_epsilon
        if self._settings.adversarial == "fgsm":
            return losses.softmax_cross_entropy(
                logits_of(table + losses.fgsm(main, table, epsilon)), weights
            )
        return losses.vat(
            logits_of, table, epsilon, torch.Generator().manual_seed(int(rng.integers(2**62)))
        )

    def _sequence(self, batch: MiniBatch, table: Tensor, rng: np.random.Generator) -> Tensor:
        """Two views of a user's events know each other among those of other users."""
        _, each = np.unique(batch.windows.users, return_index=True)
        windows = _readable(batch.windows.take(each[batch.windows.lengths[each] > 1]))
        if len(windows) <= 1:
            return table.new_zeros(())
        seen = [self._last_states(batch, table, view(windows, rng)) for _ in range(2)]
        return losses.info_nce(seen[0], seen[1], self._tuning.temperature)

    def _last_states(self, batch: MiniBatch, table: Tensor, windows: Windows) -> Tensor:
        places = np.searchsorted(batch.rows, windows.rows.clip(min=batch.rows[0]))
        events = self._model.events(
            places, windows.kinds, windows.ratings, windows.ts, windows.lengths
        )
        states = self._model.network.states(table[:, :WIDTH], events)
        return states[torch.arange(len(states)), self._model.tensor(windows.lengths - 1)]

    def _alignment(self, batch: MiniBatch) -> Tensor:
        """An item's text knows its identity among those of the other targets."""
        rows = np.unique(batch.targets.rows)
        rows = rows[self._identities.squares[rows] > 0]
        places = self._model.tensor(np.searchsorted(batch.rows, rows))
        if len(rows) <= 1:
            return batch.texts.new_zeros(())
        texts = batch.texts[places] @ self._model.network.project
        return losses.info_nce(texts, batch.identities[places, :WIDTH], self._tuning.temperature)

    def _rating(self, batch: MiniBatch, table: Tensor, users: Tensor) -> Tensor:
        assert self._ratings is not None, "the term is switched on"

        def items_of(at: NDArray[np.int64], place: NDArray[np.int64]) -> Tensor:
            return table[self._model.tensor(batch.places[at, place]), :WIDTH]

        def weights_of(rows: NDArray[np.int32]) -> Tensor:
            if self._settings.propensity:
                return self._propensity_weights(rows)
            return table.new_ones(len(rows))

        return self._ratings.loss(batch.windows, items_of, users, weights_of)


def _readable(windows: Windows) -> Windows:
    """Of each the events that the network can read: without the newest, which is a target alone,
    where a window is full.
    """
    return replace(_cut(windows, LENGTH), lengths=windows.lengths.clip(max=LENGTH))


def _cut(windows: Windows, longest: int) -> Windows:
    """Without columns that are all padding."""
    wide: dict[str, NDArray[Any]] = {
        name: getattr(windows, name)[:, :longest] for name in ("rows", "kinds", "ratings", "ts")
    }
    return Windows(**{one.name: getattr(windows, one.name) for one in fields(windows)} | wide)
