"""A map of pictures into the texts' space, fitted on pairs of one item's picture and text: ridge
regression between both sides' deviations from their means (Hoerl and Kennard, 1970), whose strength
the pairs themselves choose. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from encoders.pictures.placing import PictureMap
from upwell.errors import EncoderError
from upwell.values import Vector

__all__ = ["LEAST_PAIRS", "Fit", "fitted", "found_first"]

LEAST_PAIRS = 50
STRENGTHS = (0.1, 1.0, 10.0, 100.0, 1_000.0)
"""Of the ridge, in mean eigenvalues of the pictures' covariance."""
ONE_IN = 5
FIRST = 10


@dataclass(frozen=True, slots=True)
class Fit:
    """strength, by_words: that were chosen; whether words in the picture model's space were pairs
    too. held_out: pairs that this was chosen on, without which the map was fitted then; on them,
    words find their picture among the first ten: `found`, by chance `chance`.
    """

    into_texts: PictureMap
    pairs: int
    by_words: bool
    strength: float
    held_out: int
    found: float
    chance: float


def fitted(pictures: Vector, texts: Vector, words: Vector | None = None, seed: int = 0) -> Fit:
    """pictures: (n, p), texts: (n, d), unit rows of the same n items. words: (n, p), of a picture
    model that reads texts too, where it puts these texts: pairs like the pictures' own if that
    finds more, each side without its mean, since the two stand apart (Liang et al., NeurIPS 2022).
    Raises `EncoderError` where they are too few.
    """
    count = len(pictures)
    if count < LEAST_PAIRS:
        raise EncoderError(
            f"{count} items have a picture and words: a map needs {LEAST_PAIRS}; without one "
            "pictures are placed among pictures alone"
        )
    order = np.random.default_rng(seed).permutation(count)
    out, rest = order[: count // ONE_IN], order[count // ONE_IN :]
    sides = [None] if words is None else [None, words]
    ways = [(side, strength) for side in sides for strength in STRENGTHS]
    shares = []
    for said, strength in ways:
        some = None if said is None else said[rest]
        tried = _solved(pictures[rest], texts[rest], some, strength)
        shares.append(found_first(tried, pictures[out], texts[out]))
    best = int(np.argmax(shares))
    said, strength = ways[best]
    return Fit(
        into_texts=_solved(pictures, texts, said, strength),
        pairs=count,
        by_words=said is not None,
        strength=strength,
        held_out=len(out),
        found=shares[best],
        chance=min(1.0, FIRST / len(out)),
    )


def found_first(into_texts: PictureMap, pictures: Vector, texts: Vector) -> float:
    """The share of texts whose own picture is among the ten nearest of all these pictures."""
    placed = np.stack([into_texts(one) for one in pictures])
    near = texts @ placed.T  # (n, n)
    own = np.diag(near)
    return float(np.mean((near > own[:, None]).sum(axis=1) < FIRST))


def _solved(pictures: Vector, texts: Vector, words: Vector | None, strength: float) -> PictureMap:
    of_pictures, of_texts = (_mean(side) for side in (pictures, texts))
    x = pictures.astype(np.float64) - of_pictures
    y = texts.astype(np.float64) - of_texts
    told = np.concatenate([x] if words is None else [x, words - _mean(words)])
    meant = np.concatenate([y] if words is None else [y, y])
    product = told.T @ told
    ridge = strength * float(np.trace(product)) / len(product)
    turn = np.linalg.solve(product + ridge * np.eye(len(product)), told.T @ meant)
    wide = float(np.sqrt((y**2).sum() / max(((x @ turn) ** 2).sum(), 1e-12)))
    return PictureMap(
        of_pictures.astype(np.float32),
        np.ascontiguousarray(turn * wide, np.float32),  # a ridge alone draws all to the mean
        of_texts.astype(np.float32),
    )


def _mean(side: Vector) -> NDArray[np.float64]:
    found: NDArray[np.float64] = side.astype(np.float64).mean(axis=0)
    return found
