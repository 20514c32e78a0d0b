"""Questions whose template is known, with their vectors: what a new question is compared with, and
the passage that is shown beside an answer. Bounded by template.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learner.desk.heads import grown_rows

__all__ = ["MOST_OF_A_TEMPLATE", "Known", "Likeness", "Memory"]

MOST_OF_A_TEMPLATE = 200
"""Questions that are kept of a template; the oldest make room."""
_SHARPNESS = 12.0  # of a kernel over cosines: .06 less is half as much
_LEAST_KERNEL = 1e-3


@dataclass(frozen=True, slots=True)
class Known:
    """A question and its template. question_id: empty for an example that a template came with.
    by: the pseudonym of who asked, empty likewise.
    """

    template: int
    text: str
    question_id: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Likeness:
    """Of a question to each template's: (T,). best: the highest cosine, 0 without any. sum: the log
    of a kernel's sum. nearest: which row is best, -1 without any.
    """

    best: NDArray[np.float64]
    sum: NDArray[np.float64]
    nearest: NDArray[np.int64]


class Memory:
    """known: by row. vectors: (R, D), R at least their number."""

    def __init__(self, dimension: int) -> None:
        self.known: list[Known] = []
        self.vectors = np.zeros((0, dimension), np.float32)
        self._templates = np.zeros(0, np.int64)

    def __len__(self) -> int:
        return len(self.known)

    def add(self, known: Known, vector: NDArray[np.float32]) -> None:
        """One more; where its template has enough, the oldest goes."""
        rows = np.flatnonzero(self._templates[: len(self.known)] == known.template)
        if len(rows) >= MOST_OF_A_TEMPLATE:
            self._keep(np.delete(np.arange(len(self.known)), rows[0]))
        row = len(self.known)
        if row == len(self.vectors):
            self.vectors = grown_rows(self.vectors, max(64, row + 1))
            self._templates = np.resize(self._templates, len(self.vectors))
        self.known.append(known)
        self.vectors[row] = vector
        self._templates[row] = known.template

    def remove(self, gone: Callable[[Known], bool]) -> int:
        """Forgets those; how many there were."""
        keep = [row for row, one in enumerate(self.known) if not gone(one)]
        removed = len(self.known) - len(keep)
        self._keep(np.array(keep, np.int64))
        return removed

    def texts(self, template: int) -> Iterator[str]:
        """Of the questions that are known of it, oldest first."""
        rows = np.flatnonzero(self._templates[: len(self.known)] == template)
        return (self.known[row].text for row in rows)

    def likeness(self, vector: NDArray[np.float32], templates: int) -> Likeness:
        """Of a question's vector (D,) to what is known of each template."""
        found = Likeness(
            np.zeros(templates),
            np.full(templates, np.log(_LEAST_KERNEL)),
            np.full(templates, -1, np.int64),
        )
        if not self.known:
            return found
        of = self._templates[: len(self.known)]
        cosines = (self.vectors[: len(self.known)] @ vector).astype(np.float64)
        order = np.argsort(cosines, kind="stable")
        found.nearest[of[order]] = order  # the last one written is the best
        there = found.nearest >= 0
        found.best[there] = cosines[found.nearest[there]]
        kernel = np.exp(_SHARPNESS * (cosines - 1.0))
        found.sum[:] = np.log(np.bincount(of, kernel, templates) + _LEAST_KERNEL)
        return found

    def _keep(self, rows: NDArray[np.int64]) -> None:
        self.vectors[: len(rows)] = self.vectors[rows]
        self._templates[: len(rows)] = self._templates[rows]
        self.known = [self.known[row] for row in rows]
