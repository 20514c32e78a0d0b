"""`upwell adapt`, whole: history in; stretches, pairs, fine-tuning, figures before and after."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from encoders.adapt import Options
from encoders.adapt.run import Adapted, Encode, Seen, adapt, check_folder
from encoders.adapt.write import note_training
from encoders.load import load_encoder
from stream.replay.adaptation.history import History
from stream.replay.adaptation.lessons import lessons
from stream.replay.adaptation.nearness import mean_reciprocal_rank, ndcg10, ranks
from stream.replay.adaptation.report import Report
from stream.replay.adaptation.stretches import (
    SLICES,
    Stretches,
    Target,
    cut,
    held_out_scene,
)
from upwell.settings import EncoderSettings

__all__ = ["MOST_TESTED", "MOST_VALIDATED", "Order", "adapt_to"]

MOST_TESTED, MOST_VALIDATED = 20_000, 2_000
"""Targets of a stretch; of more than that so many are drawn."""


@dataclass(frozen=True, slots=True)
class Order:
    """What `upwell adapt` is told. out: the folder of the model. scene: half of the categories is
    held out of training.
    """

    out: Path
    options: Options
    scene: bool = False
    resume: bool = False


def adapt_to(
    read: Callable[[], History],
    order: Order,
    encoder: EncoderSettings,
    say: Callable[[str], None],
    seen: Seen = lambda step, figures: None,
) -> Report:
    """Raises `LogError` and `EncoderError`, and what `read` does, which is called once the folder
    is found to be free. encoder: which model, and where it computes. seen: is told each step's loss
    and, of a validation, the mean reciprocal rank.
    """
    began = time.perf_counter()
    check_folder(order.out, order.resume)
    if not order.options.merges:
        say(f"{order.options.method} makes no plain model: figures only, nothing will be written")
    history = read()
    untrained, new_scene = held_out_scene(history) if order.scene else (frozenset(), frozenset())
    stretches = cut(history, MOST_TESTED, order.options.seed, new_scene=new_scene)
    pairs = lessons(history, stretches.training, untrained)
    say(_told(history, stretches, {kind: len(some) for kind, some in pairs.items()}))
    revision, before = _figures_of(encoder.model, encoder.device, history, stretches.test)
    adapted = adapt(
        encoder.model,
        order.out,
        [pair for some in pairs.values() for pair in some],
        _Worth(history, stretches.validation, order.options.seed),
        order.options,
        device=encoder.device,
        resume=order.resume,
        say=say,
        seen=seen,
    )
    if adapted.written:
        note_training(order.out, stretches.until)
    name, after = _after(order, encoder.device, adapted, history, stretches.test, before)
    counts = Counter(one for target in stretches.test for one in target.slices)
    slices = [one for one in (*SLICES, "new_scene") if counts[one]]
    best = dict(adapted.scores)
    return Report(
        model=revision,
        revision=name,
        folder=str(order.out) if adapted.written else None,
        method=order.options.method,
        pairs={kind: len(some) for kind, some in pairs.items()},
        weights=adapted.weights,
        steps=len(adapted.losses),
        best_step=adapted.best_step,
        loss=_loss(adapted.losses),
        validation={"before": best[0], "best": best[adapted.best_step]},
        targets={one: counts[one] for one in slices},
        before={one: before[one] for one in slices},
        after={one: after[one] for one in slices},
        left_out=history.left_out,
        wall_s=time.perf_counter() - began,
    )


class _Worth:
    """What an encoder is worth on the validation's targets: their mean reciprocal rank."""

    def __init__(self, history: History, targets: Sequence[Target], seed: int) -> None:
        self._history = history
        rng = np.random.default_rng(seed)
        few = len(targets) <= MOST_VALIDATED
        chosen = range(len(targets)) if few else rng.permutation(len(targets))[:MOST_VALIDATED]
        self._targets = [targets[place] for place in chosen]

    def __call__(self, encode: Encode) -> float:
        return mean_reciprocal_rank(ranks(encode(self._history.texts), self._targets))


def _after(
    order: Order,
    device: str,
    adapted: Adapted,
    history: History,
    targets: Sequence[Target],
    before: dict[str, float],
) -> tuple[str | None, dict[str, float]]:
    """Of what was written, loaded as the engine loads it; of what was not, as it was trained."""
    if adapted.written:
        return _figures_of(str(order.out), device, history, targets)
    if adapted.best_step == 0:
        return None, before
    return None, _figures(adapted.encode, history, targets)


def _figures_of(
    model: str, device: str, history: History, targets: Sequence[Target]
) -> tuple[str, dict[str, float]]:
    """The model's revision, and NDCG@10 by slice."""
    encoder = load_encoder(model, device=device, engine="torch")
    try:
        return encoder.revision, _figures(encoder.encode, history, targets)
    finally:
        encoder.close()


def _figures(encode: Encode, history: History, targets: Sequence[Target]) -> dict[str, float]:
    return ndcg10(ranks(encode(history.texts), targets), targets)


def _loss(losses: Sequence[float]) -> dict[str, float]:
    if not losses:
        return {}
    some = max(1, len(losses) // 10)
    return {"first": float(np.mean(losses[:some])), "last": float(np.mean(losses[-some:]))}


def _told(history: History, stretches: Stretches, pairs: dict[str, int]) -> str:
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in pairs.items())
    return (
        f"{len(history.texts):,} items; trained on {len(stretches.training):,} events (pairs: "
        f"{kinds}), validated on {len(stretches.validation):,} targets, tested on "
        f"{len(stretches.test):,}"
    )
