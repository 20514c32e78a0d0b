"""What `upwell top` says, reckoned of the workers' words: the very object that `--json` prints. It
shows nothing and reads no topic.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from learner.testing.figures import MODEL
from stream.metrics.quantile import Buckets, between, count_of, joined, quantile
from stream.metrics.record import told
from stream.ops.top.history import WINDOW_MS, History, Spoken

__all__ = ["report"]

USERS_CHAIN = ("users",)
ALL = "all"


def report(history: History, now: float, at_ms: int) -> dict[str, Any]:
    """now: seconds of the looking clock. at_ms: the same, UTC ms."""
    workers = history.workers(now)
    serve = [one for one in workers.values() if one.last["role"] == "serve"]
    learn = [one for one in workers.values() if one.last["role"] == "learn"]
    fresh = _came_in(serve, "freshness_seconds")
    batches = _came_in(serve, "batch_events", USERS_CHAIN)
    batched = _summed(serve, "batch_events", USERS_CHAIN)
    return {
        "at": at_ms,
        "window_s": WINDOW_MS / 1000,
        "events_per_s": _rate(serve, "records"),
        "lists_per_s": _rate(serve, "lists"),
        "items_per_s": _rate(serve, "announcements"),
        "batch_events": _rounded(batched / count_of(batches)) if count_of(batches) else None,
        "freshness_ms": {
            "p50": _ms(quantile(fresh, 0.5)),
            "p99": _ms(quantile(fresh, 0.99)),
            "lists": int(count_of(fresh)),
        },
        "lag": _joined_counts(serve, "lag_records"),
        "quality": _quality(learn),
        "guard": _guard(learn),
        "model": _model(serve, learn),
        "dead_letters": _joined_counts(serve, "dead_letters"),
        "users": int(sum(_plain(one.last, "hot_users") or 0 for one in serve)),
        "items": int(max((_plain(one.last, "items") or 0 for one in serve + learn), default=0)),
        "workers": [_worker(name, one, now) for name, one in workers.items()],
    }


def _worker(name: str, one: Spoken, now: float) -> dict[str, Any]:
    memory = _plain(one.last, "resident_memory_bytes")
    return {
        "name": name,
        "role": one.last["role"],
        "engine": one.last.get("engine"),
        "said_s": round(max(now - one.heard, 0.0), 1),
        "memory_bytes": None if memory is None else int(memory),
        "cpu": _rate([one], "cpu_seconds", digits=2),
    }


def _rate(workers: Sequence[Spoken], name: str, digits: int = 1) -> float | None:
    """A second, of a counter, over all workers that said something twice; None where none did."""
    found = [
        _grown(one, lambda record: _plain(record, name) or 0.0) / one.seconds
        for one in workers
        if one.seconds > 0.0
    ]
    return round(sum(found), digits) if found else None


def _grown(one: Spoken, of: Callable[[Mapping[str, Any]], float]) -> float:
    """Of a counter from the first word to the last; where it fell, the worker began anew."""
    first, last = of(one.first), of(one.last)
    return last - first if last >= first else last


def _plain(record: Mapping[str, Any], name: str) -> float | None:
    """A figure without labels."""
    found: float | None = told(record, name).get(())
    return found


def _came_in(workers: Sequence[Spoken], name: str, labels: tuple[str, ...] = ()) -> Buckets:
    """What a histogram took in from the first words to the last."""
    rows = []
    for one in workers:
        later = told(one.last, name).get(labels)
        if later is not None and len(one.words) > 1:
            rows.append(between(told(one.first, name).get(labels), later))
    return joined(rows)


def _summed(workers: Sequence[Spoken], name: str, labels: tuple[str, ...]) -> float:
    def total(record: Mapping[str, Any]) -> float:
        return float(told(record, name).get(labels, {"sum": 0.0})["sum"])

    return sum(_grown(one, total) for one in workers)


def _joined_counts(workers: Sequence[Spoken], name: str) -> dict[str, int]:
    """By the figure's one label, the most first; without zeros."""
    counts: Counter[str] = Counter()
    for one in workers:
        for (label,), value in told(one.last, name).items():
            counts[label] += int(value)
    return {label: count for label, count in counts.most_common() if count}


def _quality(learners: Sequence[Spoken]) -> dict[str, Any] | None:
    """Of the first learner that has tested something."""
    for one in learners:
        ndcg10 = {
            model: value
            for (model, slice_), value in told(one.last, "ndcg10").items()
            if slice_ == ALL
        }
        own = ndcg10.pop(MODEL, None)
        if own is None:
            continue
        peer = max(ndcg10, key=lambda name: ndcg10[name], default=None)
        return {
            "ndcg10": own,
            "hr10": told(one.last, "hr10").get((MODEL, ALL)),
            "peer": peer,
            "peer_ndcg10": None if peer is None else ndcg10[peer],
            "targets": int(told(one.last, "targets").get((ALL,), 0)),
        }
    return None


def _guard(learners: Sequence[Spoken]) -> dict[str, Any]:
    rulings: Counter[str] = Counter()
    last: Mapping[str, Any] = {}
    for one in learners:
        rulings.update({label: int(value) for (label,), value in told(one.last, "rulings").items()})
        last = one.last.get("ruled") or last
    return {
        "rulings": dict(rulings),
        "verdict": last.get("verdict"),
        "examples": last.get("examples"),
    }


def _model(serve: Sequence[Spoken], learn: Sequence[Spoken]) -> dict[str, Any] | None:
    """Of the serve worker that is the furthest behind; None where none speaks."""
    if not serve:
        return None
    oldest = min(serve, key=lambda one: _plain(one.last, "model_examples") or 0.0).last
    changed = _plain(oldest, "model_changed_timestamp_seconds")
    learned = max((_plain(one.last, "model_examples") or 0.0 for one in learn), default=None)
    held = _plain(oldest, "model_examples") or 0.0
    return {
        "version": oldest.get("model_version"),
        "age_s": None if not changed else round(oldest["at"] / 1000.0 - changed, 1),
        "behind": None if learned is None else int(max(learned - held, 0)),
    }


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else _rounded(1000.0 * seconds)


def _rounded(value: float) -> float:
    return round(value, 1)
