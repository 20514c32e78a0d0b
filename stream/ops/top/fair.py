"""`upwell fairness`: what the workers' newest records say of who is shown, as one object and as
tables. It reckons nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stream.replay.table import Rows, plain

__all__ = ["fairness_report", "fairness_tables"]

NOTHING = "–"


def fairness_report(records: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """By worker the records of `metrics`, as an object: of each serve worker that published lists
    its `fairness`, and of the learner its figures by group and how far segments are apart, None
    where none speaks.
    """
    serve = {
        name: one["fairness"]
        for name, one in records.items()
        if one["role"] == "serve" and one.get("fairness")
    }
    learn = next((one for one in records.values() if one.get("groups")), {})
    gaps = learn.get("segment_gaps") or None
    return {"workers": serve, "quality": learn.get("groups"), "quality_gaps": gaps}


def fairness_tables(report: Mapping[str, Any]) -> Iterator[Rows]:
    """What stands in a report, for people."""
    for name, one in report["workers"].items():
        yield _items(name, one)
        yield _users(name, one)
        if one.get("segments"):
            yield _segments(name, one)
        if one["bounds"]:
            yield _bounds(name, one)
    if report["quality"]:
        yield _quality(report["quality"], report["quality_gaps"])


def _items(worker: str, one: Mapping[str, Any]) -> Rows:
    rows = Rows(
        *("by", "group", "shown", "catalogue", "chosen", "shown / there", "shown / chosen"),
        title=f"{plain(worker)}: who is shown, of {one['lists']:,} lists; "
        f"Gini {_told(one['gini'])}, coverage {_share(one['coverage'])}",
    )
    for by, groups in one["groups"].items():
        for group, found in groups.items():
            shares = (_share(found[name]) for name in ("exposure", "catalogue", "interactions"))
            ratios = (_told(found[name]) for name in ("parity", "ratio"))
            rows.add_row(by, plain(group), *shares, *ratios)
    return rows


def _users(worker: str, one: Mapping[str, Any]) -> Rows:
    rows = Rows("events", "lists", "divergence", title=f"{plain(worker)}: users by activity")
    for activity, found in one["users"].items():
        rows.add_row(activity, _share(found["lists"]), _told(found["divergence"]))
    return rows


def _segments(worker: str, one: Mapping[str, Any]) -> Rows:
    far, tail = _told(one["gaps"]["divergence"]), _share(one["gaps"]["tail"])
    rows = Rows(
        *("segment", "lists", "divergence", "tail shown"),
        title=f"{plain(worker)}: users by segment; gap of divergence {far}, of the tail {tail}",
    )
    for name, found in one["segments"].items():
        rows.add_row(
            plain(name), _share(found["lists"]), _told(found["divergence"]), _share(found["tail"])
        )
    return rows


def _bounds(worker: str, one: Mapping[str, Any]) -> Rows:
    rows = Rows("bound", "at least", "shown", "term", title=f"{plain(worker)}: bounds")
    for name, found in one["bounds"].items():
        rows.add_row(
            plain(name), _share(found["least"]), _share(found["share"]), _told(found["term"])
        )
    return rows


def _quality(groups: Mapping[str, Any], gaps: Mapping[str, Any] | None) -> Rows:
    title = "what lists are worth, by group"
    if gaps:
        title += f"; gap of segments {_told(gaps['ndcg10'], 4)}, {_told(gaps['hr10'], 4)}"
    rows = Rows("by", "group", "NDCG@10", "HR@10", title=title)
    for by, found in groups.items():
        for group, figures in found.items():
            rows.add_row(by, plain(group), _told(figures["ndcg10"], 4), _told(figures["hr10"], 4))
    return rows


def _share(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.1%}"


def _told(value: float | None, digits: int = 2) -> str:
    return NOTHING if value is None else f"{value:.{digits}f}"
