"""Windows of events as training sees them: thinned at random, which positions are targets and how
much each counts.

It knows nothing about weights or tensors.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from learner.counts.events import LIKED_KINDS
from learner.training.buffer import Windows
from upwell.values import LIKED_RATING

__all__ = ["TrainingTargets", "targets_of", "thinned", "view"]

_COLUMNS = ("rows", "kinds", "ratings", "ts")


@dataclass(frozen=True, slots=True)
class TrainingTargets:
    """P positions. window, place: (P,) where each stands. rows: (P,) items. weights: (P,) 1 for
    liked ones, less for others.
    """

    window: NDArray[np.int64]
    place: NDArray[np.int64]
    rows: NDArray[np.int64]
    weights: NDArray[np.float32]


def targets_of(
    windows: Windows,
    announced: NDArray[np.bool_],
    disliked: float,
    most: int,
    rng: np.random.Generator,
) -> TrainingTargets:
    """Every event on an announced item is a target of what came before it, the first too where
    nothing did.

    disliked: weight of events that are no likes (0 leaves them out). most: positions; more are
    sampled down.
    """
    place = np.arange(windows.rows.shape[1])
    liked = np.where(
        np.isnan(windows.ratings), LIKED_KINDS[windows.kinds], windows.ratings >= LIKED_RATING
    )
    weights = np.where(liked, 1.0, disliked).astype(np.float32)
    weights *= (
        (place < windows.lengths[:, None])
        & announced[windows.rows.clip(min=0)]
        & (windows.rows >= 0)
    )
    weights[~windows.first, 0] = 0.0
    at, where = np.nonzero(weights > 0)
    if len(at) > most:
        kept = np.sort(rng.choice(len(at), most, replace=False))
        at, where = at[kept], where[kept]
    rows = windows.rows[at, where].astype(np.int64)
    return TrainingTargets(at, where, rows, weights[at, where])


def thinned(windows: Windows, most: float, rng: np.random.Generator) -> Windows:
    """Each window without a random share (up to `most`) of its events, the newest kept: what came
    soon after counts as what came next.
    """
    count, width = windows.rows.shape
    share = rng.random((count, 1)) * most
    keep = rng.random((count, width)) >= share
    keep[np.arange(count), windows.lengths - 1] = True
    return _compact(windows, keep)


def view(windows: Windows, rng: np.random.Generator) -> Windows:
    """A second look at each window: cropped, masked or reordered, one of them drawn for each (Xie
    et al. 2022, CL4SRec).
    """
    count, width = windows.rows.shape
    lengths, place = windows.lengths[:, None], np.arange(width)
    how = rng.integers(3, size=(count, 1))
    start = (rng.random((count, 1)) * (lengths * 0.4 + 1)).astype(np.int64)
    cropped = (place >= start) & (place < start + np.ceil(0.6 * lengths))
    masked = rng.random((count, width)) >= 0.3
    keep = np.where(how == 0, cropped, np.where(how == 1, masked, True))
    keep[np.arange(count), windows.lengths - 1] |= ~(keep & (place < lengths)).any(axis=1)
    shuffled = (
        (place >= start) & (place < start + np.ceil(0.3 * lengths)) & (place < lengths) & (how == 2)
    )
    key = np.where(
        shuffled, start + 0.5 * rng.random((count, width)), place + 0.5 * (place >= start)
    )
    order = np.argsort(np.where(place < lengths, key, width + place), axis=1, kind="stable")
    moved = replace(
        windows,
        **{name: np.take_along_axis(getattr(windows, name), order, axis=1) for name in _COLUMNS},
    )
    return _compact(moved, np.take_along_axis(keep, order, axis=1))


def _compact(windows: Windows, keep: NDArray[np.bool_]) -> Windows:
    """Only the kept events, moved together."""
    place = np.arange(windows.rows.shape[1])
    keep = keep & (place < windows.lengths[:, None])
    order = np.argsort(~keep, axis=1, kind="stable")
    lengths = keep.sum(axis=1)
    moved = {}
    for name in _COLUMNS:
        column = np.take_along_axis(getattr(windows, name), order, axis=1)
        column[place >= lengths[:, None]] = -1 if name == "rows" else 0
        moved[name] = column
    return replace(windows, lengths=lengths, **moved)
