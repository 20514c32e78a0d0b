"""One step after the other: a batch, its loss, the optimizer. What a step does depends on the
weights, the optimizer and the step's number alone, so that a run can go on where it was stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from encoders.adapt.checkpoint import Progress
from encoders.adapt.methods import Method
from encoders.adapt.objective import IGNORED, info_nce, masked, moved_words, watched_words
from encoders.adapt.options import Options
from encoders.adapt.pairs import Pair, batch_of, false_negatives
from encoders.engines.padding import padded
from encoders.transformer import TransformerEncoder

__all__ = ["Trainer", "share_of_rate"]

_WARM_SHARE = 0.1
_WEIGHT_DECAY = 0.01
_LONGEST_GRADIENT = 1.0


class Trainer:
    """base: whose model is `method`'s. head: of masked-language modelling, None for none."""

    def __init__(
        self,
        base: TransformerEncoder,
        method: Method,
        head: torch.nn.Module | None,
        pairs: Sequence[Pair],
        options: Options,
    ) -> None:
        self._base, self._method, self._head = base, method, head
        self._pairs, self._options = pairs, options
        self._device = next(base.pooled.parameters()).device
        weights = list(method.trained().values())
        if head is not None:
            weights += [one for one in head.parameters() if one.requires_grad]
        self._weights = weights
        self._optimizer = torch.optim.AdamW(weights, lr=options.rate, weight_decay=_WEIGHT_DECAY)

    def step(self, number: int) -> float:
        """Train; the loss before. number: from 0."""
        schedule = self._options.schedule
        share = share_of_rate(number, schedule.steps)
        for group in self._optimizer.param_groups:
            group["lr"] = self._options.rate * share
        with torch.random.fork_rng():
            torch.manual_seed(self._options.seed * 1_000_003 + number)  # of dropout
            loss = self._backward(number)
        torch.nn.utils.clip_grad_norm_(self._weights, _LONGEST_GRADIENT)
        self._optimizer.step()
        self._method.after_step(number)
        self._optimizer.zero_grad()
        return loss

    def state(self) -> dict[str, Any]:
        """All that `recall` needs."""
        return {
            "weights": [one.detach().clone() for one in self._weights],
            "optimizer": self._optimizer.state_dict(),
            "memory": self._method.memory(),
        }

    def recall(self, progress: Progress) -> None:
        """Go on from there."""
        with torch.no_grad():
            for own, was in zip(self._weights, progress.state["weights"], strict=True):
                own.copy_(was)
        self._optimizer.load_state_dict(progress.state["optimizer"])
        self._method.recall(progress.state["memory"])

    def _backward(self, number: int) -> float:
        """Gradients of all batches of a step."""
        schedule, seed = self._options.schedule, self._options.seed
        self._base.pooled.train()
        loss = 0.0
        for part in range(schedule.accumulate):
            place = number * schedule.accumulate + part
            batch = batch_of(self._pairs, schedule.batch, place, seed)
            rng = np.random.default_rng([seed, place])
            loss += self._backward_batch(batch, rng) / schedule.accumulate
        penalty = self._method.penalty()
        if isinstance(penalty, torch.Tensor):
            _gradients(penalty)
        self._base.pooled.eval()
        return loss

    def _backward_batch(self, batch: Sequence[Pair], rng: np.random.Generator) -> float:
        """Anchors and positives go through the model together."""
        wanted, share = self._options.objective, 1.0 / self._options.schedule.accumulate
        texts = [pair.anchor for pair in batch] + [pair.positive for pair in batch]
        ids, mask = padded(self._base.tokens(texts), self._base.pad)  # (2 B, L)
        words = self._embeddings()
        watch: AbstractContextManager[list[torch.Tensor]] = nullcontext([])
        if wanted.adversarial:
            watch = watched_words(words)
        with watch as seen:
            loss = self._contrast(batch, ids, mask)
        if self._head is not None:
            own = slice(len(batch))
            loss = loss + wanted.mlm * self._modelling(self._head, ids[own], mask[own], rng)
        _gradients(loss * share)
        if wanted.adversarial:
            with moved_words(words, seen[0], wanted.adversarial):
                against = self._contrast(batch, ids, mask)
            _gradients(against * share)
            loss = loss + against
        return float(loss.detach())

    def _contrast(self, batch: Sequence[Pair], ids: Any, mask: Any) -> torch.Tensor:
        with self._precision():
            vectors = self._base.pooled(self._here(ids), self._here(mask))  # (2 B, d)
        anchors, positives = vectors.split(len(batch))
        temperature = self._options.objective.temperature
        return info_nce(anchors, positives, false_negatives(batch), temperature)

    def _modelling(
        self, head: torch.nn.Module, ids: Any, mask: Any, rng: np.random.Generator
    ) -> torch.Tensor:
        """How badly hidden words are told."""
        tokenizer = self._base.tokenizer
        shown, labels = masked(
            ids, tokenizer.all_special_ids, tokenizer.mask_token_id, len(tokenizer), rng
        )
        hidden = labels != IGNORED
        if not hidden.any():
            return torch.zeros((), device=self._device)
        with self._precision():
            states = self._base.pooled.model(
                input_ids=self._here(shown), attention_mask=self._here(mask)
            ).last_hidden_state  # (B, L, d)
            logits = head(states[self._here(hidden)])  # (hidden, words)
        return cross_entropy(logits.float(), self._here(labels[hidden]))

    def _embeddings(self) -> torch.nn.Module:
        model: Any = self._base.pooled.model
        words: torch.nn.Module = model.get_input_embeddings()
        return words

    def _precision(self) -> Any:
        """bf16 where a GPU computes; float32 on a CPU."""
        on = self._device.type == "cuda"
        return torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=on)

    def _here(self, values: Any) -> torch.Tensor:
        return torch.from_numpy(values).to(self._device)


def _gradients(loss: torch.Tensor) -> None:
    loss.backward()  # type: ignore[no-untyped-call]


def share_of_rate(step: int, steps: int) -> float:
    """Of the learning rate: up over the first tenth of the steps, then down to 0, both straight."""
    warm = max(1, round(steps * _WARM_SHARE))
    return min((step + 1) / warm, (steps - step) / max(1, steps - warm))
