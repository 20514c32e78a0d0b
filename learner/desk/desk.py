"""A desk: templates of answers, what is known of each, and the way from a question to the template
that answers it, or to a person.

An event at a time: a question is answered by what was learned before it, a choice is learned from
when it comes. The same events in the same order give the same desk, to the digit.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.desk.gate import Gate
from learner.desk.groups import Groups, Offer, Unfit
from learner.desk.heads import Head, grown_rows
from learner.desk.memory import Known, Likeness, Memory
from learner.desk.ngrams import BUCKETS, ngrams
from learner.desk.quantile import Recent
from learner.desk.reading import reads
from learner.desk.threshold import Threshold

__all__ = ["Asked", "Desk", "Match", "Template", "Told"]

SHOWN = 3
PENDING = 10_000
"""Questions that may still be chosen for; the oldest make room."""
UNALIKE = 0.98
"""So many of the pairs of questions of different templates are less alike than what is alike."""
UNFIT = 0.25
"""So many of the questions that a template did answer were less near to what was known of it: one
that is handed over and less near begins a group.
"""
STRANGE = 0.02
"""Likewise; one that is less near is handed over, however sure it looks: shares are of the
templates that there are.
"""


@dataclass(frozen=True, slots=True)
class Template:
    """What an answer is made of. examples: questions that it answers."""

    template_id: str
    title: str
    text: str
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """confidence: how likely it is the right one. passage: the known question that is most like the
    one that was asked, else the template's title.
    """

    template_id: str
    confidence: float
    passage: str


@dataclass(frozen=True, slots=True)
class Told:
    """The best templates, best first. answers: whether the first may go out alone. least: the
    confidence that this asks for. offer: a group of questions that a new template would answer,
    where this question made it large enough.
    """

    matches: tuple[Match, ...]
    answers: bool
    least: float
    offer: Offer | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that waits for a choice. vector: (D,). first: the template that was told first, -1
    without any. chosen: the one that was chosen last, -1 without. read: whether it was in words
    that were known of the first.
    """

    text: str
    by: str
    vector: NDArray[np.float32]
    first: int = -1
    confidence: float = 0.0
    chosen: int = -1
    read: bool = True


class Desk:
    """target: the share of answers that go out alone which is to be right. dimension: of vectors,
    which have length 1.
    """

    def __init__(self, dimension: int, target: float) -> None:
        self.templates: list[Template] = []
        self.allowed = np.zeros(0, np.bool_)
        self.own = np.zeros((0, dimension), np.float32)
        self.sums = np.zeros((0, dimension), np.float32)
        self.counts = np.zeros(0, np.float32)
        self.memory = Memory(dimension)
        self.vectors, self.ngrams = Head(dimension), Head(BUCKETS)
        self.gate = Gate()
        self.threshold = Threshold(target)
        self.pending: OrderedDict[str, Asked] = OrderedDict()
        self.groups = Groups(np.zeros((0, dimension), np.float32))
        self.alike = Recent(0.6)
        self.fits = Recent(0.5)
        self._places: dict[str, int] = {}

    def put(
        self, template: Template, own: NDArray[np.float32], examples: NDArray[np.float32]
    ) -> None:
        """A template that is new, or takes the place of the one with its id. own: (D,) of its title
        and text. examples: (n, D).
        """
        place = self._places.setdefault(template.template_id, len(self.templates))
        if place == len(self.templates):
            self._grow(place + 1)
            self.templates.append(template)
        self.templates[place] = template
        self.allowed[place] = True
        self.own[place] = own
        self.memory.remove(lambda one: one.template == place and not one.question_id)
        for text, vector in zip(template.examples, examples, strict=True):
            self.memory.add(Known(place, text), vector)
        self.groups.answered(np.concatenate([own[None], examples]), self.alike.quantile(UNALIKE))

    def withdraw(self, template_id: str) -> None:
        """It answers nothing any more, until it is put again."""
        if (place := self._places.get(template_id)) is not None:
            self.allowed[place] = False

    def ask(self, question_id: str, text: str, by: str, vector: NDArray[np.float32]) -> Told:
        """What answers a question. by: the pseudonym of who asks. vector: (D,)."""
        likeness = self.memory.likeness(vector, len(self.templates))
        shares = self.gate.shares(self._features(text, vector, likeness)[0], self.allowed)
        best = np.argsort(-shares, kind="stable")[: min(SHOWN, int(self.allowed.sum()))]
        matches = tuple(self._match(int(one), float(shares[one]), likeness) for one in best)
        first, confidence = (int(best[0]), matches[0].confidence) if matches else (-1, 0.0)
        read = self._reads(text, first)
        least = self.threshold.least_of(read)
        near = self._nearest(vector, likeness)
        answers = confidence >= least and near >= self.fits.quantile(STRANGE)
        self.groups.heard(text)
        offer = None
        if not answers and near < self.fits.quantile(UNFIT):
            offer = self.groups.add(
                Unfit(question_id, text, by), vector, self.alike.quantile(UNALIKE)
            )
        self.pending[question_id] = Asked(text, by, vector, first, confidence, read=read)
        self.pending.move_to_end(question_id)
        if len(self.pending) > PENDING:
            self.pending.popitem(last=False)
        return Told(matches, answers, least, offer)

    def choose(self, question_id: str, template_id: str) -> str | None:
        """Learns that this template was the right one; a second choice corrects the first. Returns
        which of both is unknown, None where neither is.
        """
        asked, place = self.pending.get(question_id), self._places.get(template_id)
        if asked is None or place is None:
            return "question" if asked is None else "template"
        if asked.chosen == place:
            return None
        if asked.chosen < 0:
            self.threshold.add(asked.confidence, asked.first == place, asked.read)
        else:
            self._unlearn(question_id, asked)
        self.pending[question_id] = replace(asked, chosen=place)
        self.groups.remove(lambda one: one.question_id == question_id)
        self._learn(question_id, asked, place)
        return None

    def template(self, template_id: str) -> Template:
        """The one of this id; `KeyError` where there is none."""
        return self.templates[self._places[template_id]]

    def load(self, templates: list[Template], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Takes over what was told of each template: `allowed`, `own`, `sums`, `counts`."""
        self.templates = templates
        self._places = {one.template_id: place for place, one in enumerate(templates)}
        self.allowed, self.own = arrays["allowed"], arrays["own"]
        self.sums, self.counts = arrays["sums"], arrays["counts"]

    def held(self, by: str) -> dict[str, tuple[str, str | None]]:
        """What it has in mind of one who asked: of each question_id the text, and the template_id
        that was chosen, None without.
        """
        found: dict[str, tuple[str, str | None]] = {
            one.question_id: (one.text, None) for one in self.groups.unfit() if one.by == by
        }
        for one in self.memory.known:
            if one.by == by:
                found[one.question_id] = (one.text, self.templates[one.template].template_id)
        for question_id, asked in self.pending.items():
            if asked.by == by and question_id not in found:
                found[question_id] = (asked.text, None)
        return found

    def rename(self, before: str, by: str) -> None:
        """Who asked as `before` is the same person as `by`."""
        for question_id, asked in self.pending.items():
            if asked.by == before:
                self.pending[question_id] = replace(asked, by=by)
        known = self.memory.known
        known[:] = [replace(one, by=by) if one.by == before else one for one in known]
        self.groups.rename(before, by)

    def forget(self, by: str) -> int:
        """Removes the questions of one who asked; how many there were. Weights stay as they are."""
        own = [question_id for question_id, asked in self.pending.items() if asked.by == by]
        for question_id in own:
            del self.pending[question_id]
        known = self.memory.remove(lambda one: one.by == by)
        return len(own) + known + self.groups.remove(lambda one: one.by == by)

    def _grow(self, templates: int) -> None:
        self.own = grown_rows(self.own, templates)
        self.sums = grown_rows(self.sums, templates)
        self.counts = grown_rows(self.counts, templates)
        self.allowed = np.append(self.allowed, False)
        self.vectors.grow(templates)
        self.ngrams.grow(templates)

    def _features(
        self, text: str, vector: NDArray[np.float32], likeness: Likeness
    ) -> tuple[NDArray[np.float64], NDArray[np.float32], NDArray[np.float32]]:
        """(T, F), and the scores of both heads, (T,)."""
        count = len(self.templates)
        grams = ngrams(text)
        by_vector = self.vectors.scores(count, vector, None)
        by_ngrams = self.ngrams.scores(count, grams.value, grams.columns)
        lengths = np.maximum(np.linalg.norm(self.sums[:count], axis=1), 1e-9)
        columns = (
            likeness.best,
            likeness.sum,
            self.sums[:count] @ vector / lengths,
            self.own[:count] @ vector,
            by_vector,
            by_ngrams,
            np.log(self.counts[:count] + 0.5),
        )
        return np.stack(columns, axis=1).astype(np.float64), by_vector, by_ngrams

    def _learn(self, question_id: str, asked: Asked, place: int) -> None:
        vector = asked.vector
        likeness = self.memory.likeness(vector, len(self.templates))
        features, by_vector, by_ngrams = self._features(asked.text, vector, likeness)
        allowed = self.allowed.copy()
        allowed[place] = True
        self.gate.learn(features, self.gate.shares(features, allowed), place)
        grams = ngrams(asked.text)
        self.vectors.learn(by_vector, place, vector, None)
        self.ngrams.learn(by_ngrams, place, grams.value, grams.columns)
        if likeness.nearest[place] >= 0:
            self.fits.add(float(likeness.best[place]))
        self._note_other(vector, place)
        self.memory.add(Known(place, asked.text, question_id, asked.by), vector)
        self.sums[place] += vector
        self.counts[place] += 1.0

    def _note_other(self, vector: NDArray[np.float32], place: int) -> None:
        """How alike questions of different templates are: one pair, the same whoever reckons it."""
        rows = [row for row, one in enumerate(self.memory.known) if one.template != place]
        if rows:
            row = rows[int(self.counts.sum()) * 7919 % len(rows)]
            self.alike.add(float(self.memory.vectors[row] @ vector))

    def _unlearn(self, question_id: str, asked: Asked) -> None:
        """What can be taken back exactly; the heads learn the correction on top."""
        self.memory.remove(lambda one: one.question_id == question_id)
        self.sums[asked.chosen] -= asked.vector
        self.counts[asked.chosen] -= 1.0

    def _reads(self, text: str, place: int) -> bool:
        """Whether a question is in words that are known of the template at this place."""
        if place < 0:
            return False
        template = self.templates[place]
        return reads(text, chain((template.title, template.text), self.memory.texts(place)))

    def _nearest(self, vector: NDArray[np.float32], likeness: Likeness) -> float:
        """The cosine to the nearest known question, or template; -1 without any."""
        own = self.own[: len(self.templates)] @ vector
        nearest = np.maximum(likeness.best, own)[self.allowed]
        return float(nearest.max(initial=-1.0))

    def _match(self, place: int, confidence: float, likeness: Likeness) -> Match:
        row = int(likeness.nearest[place])
        template = self.templates[place]
        passage = self.memory.known[row].text if row >= 0 else template.title
        return Match(template.template_id, confidence, passage)
