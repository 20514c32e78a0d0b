"""All of a desk as arrays and JSON's types, and back: for a checkpoint."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.desk.desk import Asked, Desk, Template
from learner.desk.groups import Group, Unfit
from learner.desk.memory import Known
from upwell.errors import ModelError

__all__ = ["arrays_of", "meta_of", "restored"]

Arrays = Mapping[str, NDArray[Any]]


def arrays_of(desk: Desk) -> dict[str, NDArray[Any]]:
    """Every array, by name; rows that are in use."""
    count, known = len(desk.templates), len(desk.memory)
    return {
        "allowed": desk.allowed,
        "own": desk.own[:count],
        "sums": desk.sums[:count],
        "counts": desk.counts[:count],
        "vector_weights": desk.vectors.weights[:count],
        "vector_squares": desk.vectors.squares[:count],
        "ngram_weights": desk.ngrams.weights[:count],
        "ngram_squares": desk.ngrams.squares[:count],
        "gate_weights": desk.gate.weights,
        "gate_squares": desk.gate.squares,
        "known": desk.memory.vectors[:known],
        "pending": _stacked([one.vector for one in desk.pending.values()], desk),
        "waiting": desk.groups.vectors,
        "members": np.concatenate(
            [_stacked([], desk), *(one.vectors for one in desk.groups.groups)]
        ),
        "alike": np.array(desk.alike.numbers),
        "fits": np.array(desk.fits.numbers),
        "outcomes": np.array(desk.threshold.outcomes, np.float64).reshape(-1, 3)[:, :2],
        "read": np.array([read for _, _, read in desk.threshold.outcomes], np.bool_),
    }


def meta_of(desk: Desk) -> dict[str, Any]:
    """What is no array."""
    groups = desk.groups
    return {
        "templates": [asdict(one) for one in desk.templates],
        "known": [asdict(one) for one in desk.memory.known],
        "pending": [
            [question_id, one.text, one.by, one.first, one.confidence, one.chosen]
            for question_id, one in desk.pending.items()
        ],
        "unread": [question_id for question_id, one in desk.pending.items() if not one.read],
        "waiting": [asdict(one) for one in groups.waiting],
        "groups": [
            [one.number, one.size, one.offered, [asdict(member) for member in one.members]]
            for one in groups.groups
        ],
        "words": dict(groups.words),
        "asked": groups.asked,
        "last": groups.last,
    }


def restored(dimension: int, target: float, arrays: Arrays, meta: Mapping[str, Any]) -> Desk:
    """The desk that `arrays_of` and `meta_of` told. Raises `ModelError` where it was made of
    vectors of another length. Where it does not say which questions were in words that are known,
    all were: so it was before.
    """
    if arrays["own"].shape[1] != dimension:
        raise ModelError(
            f"the desk's checkpoint has vectors of {arrays['own'].shape[1]} numbers, the encoder "
            f"gives {dimension}: start afresh, or set UPWELL_ENCODER to the one of before"
        )
    desk = Desk(dimension, target)
    desk.load(
        [Template(**{**one, "examples": tuple(one["examples"])}) for one in meta["templates"]],
        {name: np.array(arrays[name]) for name in ("allowed", "own", "sums", "counts")},
    )
    for head, name in ((desk.vectors, "vector"), (desk.ngrams, "ngram")):
        head.weights = np.array(arrays[f"{name}_weights"])
        head.squares = np.array(arrays[f"{name}_squares"])
    desk.gate.weights = np.array(arrays["gate_weights"])
    desk.gate.squares = np.array(arrays["gate_squares"])
    for one, vector in zip(meta["known"], arrays["known"], strict=True):
        desk.memory.add(Known(**one), vector)
    unread = set(meta.get("unread", ()))
    desk.pending = OrderedDict(
        (
            question_id,
            Asked(text, by, np.array(vector), first, confidence, chosen, question_id not in unread),
        )
        for (question_id, text, by, first, confidence, chosen), vector in zip(
            meta["pending"], arrays["pending"], strict=True
        )
    )
    desk.alike.numbers.extend(arrays["alike"].tolist())
    desk.fits.numbers.extend(arrays["fits"].tolist())
    outcomes = arrays["outcomes"].tolist()
    read = arrays["read"].tolist() if "read" in arrays else [True] * len(outcomes)
    for (confidence, right), known in zip(outcomes, read, strict=True):
        desk.threshold.add(confidence, bool(right), known)
    _restore_groups(desk, arrays, meta)
    return desk


def _restore_groups(desk: Desk, arrays: Arrays, meta: Mapping[str, Any]) -> None:
    groups, at = desk.groups, 0
    groups.vectors = np.array(arrays["waiting"])
    groups.waiting = [Unfit(**one) for one in meta["waiting"]]
    for number, size, offered, members in meta["groups"]:
        vectors = np.array(arrays["members"][at : at + len(members)])
        at += len(members)
        unfit = [Unfit(**one) for one in members]
        groups.groups.append(Group(number, unfit, vectors, size, offered))
    groups.words = Counter(meta["words"])
    groups.asked, groups.last = meta["asked"], meta["last"]


def _stacked(rows: Sequence[NDArray[np.float32]], desk: Desk) -> NDArray[np.float32]:
    return np.stack(rows) if rows else np.zeros((0, desk.own.shape[1]), np.float32)
