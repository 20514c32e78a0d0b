"""Sums of a stream told again and again, epoch by epoch, under noise that one user cannot be told
from: the square root of the running sums (Henzinger, Upadhyay and Upadhyay 2023; Fichtenberger et
al. 2023), which promises what a binary tree does with less noise.

The running sums A of epochs are the square of a lower triangular Toeplitz matrix C, 1, 1/2, 3/8, …;
what is told of them, A x + C z with z of deviation σ, is C (C x + z), and so as private as C x + z
is, whatever later data depend on (Denisov et al. 2022). All noise is drawn from a secret, what it
is for and the epoch: to tell an epoch twice tells the same. It knows nothing about users.
"""

from __future__ import annotations

import hashlib
import hmac
import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["Noise", "roots", "stretch"]


def roots(epochs: int) -> NDArray[np.float64]:
    """(epochs,) of the first column of C."""
    found = np.ones(max(0, epochs))
    for place in range(1, epochs):
        found[place] = found[place - 1] * (2.0 * place - 1.0) / (2.0 * place)
    return found


def stretch(epochs: int) -> float:
    """By how much C makes longer, at most, what a user adds to one of so many epochs; 0 of none.

    What is added to several epochs is made longer by no more, where it moves another number in
    each, or where the sum of its norms is what is bounded.
    """
    return math.sqrt(math.fsum(root * root for root in roots(epochs).tolist()))


class Noise:
    """Of one stream of sums. name: which one. generation: how often the stream was begun anew from
    an older state, so that what was told since is never told again with the same noise.
    """

    def __init__(self, secret: bytes, name: str, generation: int = 0) -> None:
        self._secret = secret
        self._name = name
        self._generation = generation

    def of(self, epoch: int, columns: int, rows: int) -> NDArray[np.float64]:
        """(columns, rows) to be added to the sums after `epoch` (from 0), for σ = 1. Rows that come
        later change none of the others.
        """
        total = np.zeros((columns, rows))
        for back, root in enumerate(roots(epoch + 1).tolist()):
            for column in range(columns):
                total[column] += root * self._draw(epoch - back, column, rows)
        return total

    def _draw(self, epoch: int, column: int, rows: int) -> NDArray[np.float64]:
        what = f"upwell private {self._generation} {epoch} {column} {self._name}"
        key = hmac.digest(self._secret, what.encode(), hashlib.sha256)
        words = np.frombuffer(key[:16], np.uint64)
        return np.random.Generator(np.random.Philox(key=words)).standard_normal(rows)
