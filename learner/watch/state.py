"""All of a watch as arrays and JSON's types, and back: for a checkpoint."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learner.watch.alerts import Alert, Alerts, Quoted
from learner.watch.evidence import Evidence
from learner.watch.keys import Keys
from learner.watch.options import Options
from learner.watch.rows import Row, Rows
from learner.watch.topics import Topic
from learner.watch.watch import Watch
from learner.watch.words import named
from upwell.errors import ModelError

__all__ = ["arrays_of", "meta_of", "restored"]

Arrays = Mapping[str, NDArray[Any]]
_ROWS = ("sample", "recent")
_EVIDENCE = ("share", "up", "down")
_KEYS = ("ids", "texts", "authors")
_ROW_FIELDS = ("key", "post_id", "text", "by", "ts", "topic", "mood", "early")


def arrays_of(watch: Watch) -> dict[str, NDArray[Any]]:
    """Every array, by name; rows that are in use."""
    mood = watch.mood
    arrays: dict[str, NDArray[Any]] = {
        "centres": watch.topics.centres,
        "alike": np.array(watch.alike.numbers, np.float64),
        "mood_weights": mood.vectors.weights,
        "mood_inverse": mood.vectors.inverse,
        "trust_weights": mood.trust.weights,
        "trust_inverse": mood.trust.inverse,
    }
    for name, head in (("ngrams", mood.ngrams), ("words", mood.words)):
        arrays[f"{name}_weights"], arrays[f"{name}_squares"] = head.weights, head.squares
    for name in _ROWS:
        arrays[name] = getattr(watch, name).used
    for name in _EVIDENCE:
        for one in fields(Evidence):
            arrays[f"{name}_{one.name}"] = getattr(getattr(watch.changes, name), one.name)
    for name in _KEYS:
        times = getattr(watch, name).times
        arrays[name] = np.array(list(times.items()), np.int64).reshape(-1, 2)
    return arrays


def meta_of(watch: Watch) -> dict[str, Any]:
    """What is no array."""
    return {
        "now": watch.now,
        "counted": watch.counted,
        "epoch": watch.epoch,
        "near": watch.near,
        "last": watch.topics.last,
        "labels": watch.mood.labels,
        "topics": [[one.number, one.name, one.began] for one in watch.topics.all],
        "since": [[number, kind, ts] for (number, kind), ts in watch.changes.since.items()],
        "open": [asdict(one) for one in watch.alerts.open.values()],
        "held": [asdict(one) for one in watch.alerts.held.values()],
        "closed": list(watch.alerts.closed),
        **{name: _rows_meta(getattr(watch, name)) for name in _ROWS},
    }


def restored(dimension: int, options: Options, arrays: Arrays, meta: Mapping[str, Any]) -> Watch:
    """The watch that `arrays_of` and `meta_of` told. Raises `ModelError` where it was made of
    vectors of another length. Options may be others than before.
    """
    if arrays["centres"].shape[1] != dimension:
        raise ModelError(
            f"the watch's checkpoint has vectors of {arrays['centres'].shape[1]} numbers, the "
            f"encoder gives {dimension}: start afresh, or set UPWELL_ENCODER to the one of before"
        )
    watch = Watch(dimension, options)
    watch.now, watch.counted, watch.epoch = meta["now"], meta["counted"], meta["epoch"]
    watch.alike.numbers.extend(arrays["alike"].tolist())
    watch.near = meta["near"]
    watch.topics.last = meta["last"]
    watch.topics.centres = np.array(arrays["centres"])
    watch.topics.all = [
        Topic(number, name, began, np.array(centre))
        for (number, name, began), centre in zip(meta["topics"], arrays["centres"], strict=True)
    ]
    _restore_mood(watch, arrays, meta["labels"])
    for name in _ROWS:
        _restore_rows(getattr(watch, name), arrays[name], meta[name])
    for name in _EVIDENCE:
        told = {one.name: np.array(arrays[f"{name}_{one.name}"]) for one in fields(Evidence)}
        setattr(watch.changes, name, Evidence(**told))
    watch.changes.since = {(number, kind): ts for number, kind, ts in meta["since"]}
    for name in _KEYS:
        keys: Keys = getattr(watch, name)
        keys.times = OrderedDict((int(key), int(ts)) for key, ts in arrays[name])
    _restore_alerts(watch.alerts, meta)
    return watch


def _restore_mood(watch: Watch, arrays: Arrays, labels: int) -> None:
    mood = watch.mood
    mood.labels = labels
    mood.vectors.weights = np.array(arrays["mood_weights"])
    mood.vectors.inverse = np.array(arrays["mood_inverse"])
    mood.trust.weights = np.array(arrays["trust_weights"])
    mood.trust.inverse = np.array(arrays["trust_inverse"])
    for name, head in (("ngrams", mood.ngrams), ("words", mood.words)):
        head.weights = np.array(arrays[f"{name}_weights"])
        head.squares = np.array(arrays[f"{name}_squares"])


def _rows_meta(rows: Rows) -> dict[str, Any]:
    return {
        "stride": rows.stride,
        "rows": [[getattr(row, name) for name in _ROW_FIELDS] for row in rows.rows],
    }


def _restore_rows(rows: Rows, vectors: NDArray[np.float32], meta: Mapping[str, Any]) -> None:
    """Where there is less room than there was, as many as fit."""
    for one, vector in zip(meta["rows"], vectors, strict=True):
        row = Row(**dict(zip(_ROW_FIELDS, one, strict=True)))
        row.words = named(row.text)
        rows.add(row, vector)
    rows.stride = max(rows.stride, meta["stride"])


def _restore_alerts(alerts: Alerts, meta: Mapping[str, Any]) -> None:
    for name in ("open", "held"):
        for one in meta[name]:
            alert = Alert(**{**one, "posts": tuple(Quoted(**post) for post in one["posts"])})
            getattr(alerts, name)[alert.topic, alert.kind] = alert
    alerts.closed.extend(meta["closed"])
