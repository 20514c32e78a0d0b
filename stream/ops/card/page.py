"""The card as Markdown. What no worker said is `not measured`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from stream.replay.table import printable

__all__ = ["NOT_MEASURED", "page"]

NOT_MEASURED = "not measured"


def page(card: Mapping[str, Any]) -> str:
    """card: of `stream.ops.card.gather`."""
    return "\n".join(_lines(card)) + "\n"


def _lines(card: Mapping[str, Any]) -> Iterator[str]:
    versions, encoder = card["versions"], card["encoder"]
    yield f"# Model card of an Upwell engine, {_utc(card['at'])}"
    yield "\nEach figure is what the running workers said, or was counted on the topics.\n"
    yield from _table("Versions", versions)
    yield from _table("Encoder", {**encoder, "licence": encoder["licence"] or "not stated"})
    yield from _data(card["data"])
    yield from _table("Settings that matter, as this command has them", card["settings"])
    yield from _figures(card["figures"])
    yield from _by_segment(card["fairness"])
    yield from _fairness(card["fairness"])
    yield from _table("Privacy", card["privacy"])
    yield from _bullets("Promises, each with its test in docs/trust.md", card["promises"]["held"])
    yield from _bullets("What is not promised", card["promises"]["not_promised"])
    yield from _bullets("What it is not for", card["not_for"])


def _table(title: str, values: Mapping[str, Any]) -> Iterator[str]:
    yield f"\n## {title}\n\n| what | value |\n| --- | --- |"
    for name, value in values.items():
        yield f"| {_cell(str(name).replace('_', ' '))} | {_cell(value)} |"


def _data(data: Mapping[str, Any]) -> Iterator[str]:
    yield "\n## Data seen, as far as the topics still hold it\n"
    yield "| topic | records | users | items | from | to |\n| --- | --- | --- | --- | --- | --- |"
    for topic, one in data.items():
        times = (_utc(one["oldest_ms"]), _utc(one["newest_ms"]))
        cells = (topic, one["records"], one["users"], one["items"], *times)
        yield f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _figures(figures: Mapping[str, Any]) -> Iterator[str]:
    yield "\n## What lists are worth, each target ranked before it was learned\n"
    if figures["ndcg10"] is None:
        yield NOT_MEASURED
        return
    peers = figures["peers_ndcg10"]
    yield f"| of | targets | NDCG@10 | HR@10 | {' | '.join(map(_cell, peers))} |"
    yield f"| {' | '.join(['---'] * (4 + len(peers)))} |"
    for slice_, value in figures["ndcg10"].items():
        others = [peers[peer].get(slice_) for peer in peers]
        cells = (figures["targets"].get(slice_), value, figures["hr10"].get(slice_), *others)
        yield f"| {_cell(slice_)} | {' | '.join(_cell(cell) for cell in cells)} |"


def _fairness(report: Mapping[str, Any]) -> Iterator[str]:
    yield "\n## Who is shown\n"
    if not report["workers"]:
        yield NOT_MEASURED
        return
    for worker, one in report["workers"].items():
        yield f"\n{_cell(worker)}: {one['lists']:,} lists, Gini {_cell(one['gini'])}, coverage "
        yield f"{_cell(one['coverage'])}.\n\n| group | exposure | catalogue | interactions |"
        yield "| --- | --- | --- | --- |"
        for by, groups in one["groups"].items():
            for group, found in groups.items():
                shares = (found[name] for name in ("exposure", "catalogue", "interactions"))
                yield f"| {_cell(f'{by}:{group}')} | {' | '.join(map(_cell, shares))} |"
        yield from _segments(one)
        for name, bound in one["bounds"].items():
            yield (
                f"\nBound {_cell(name)}: at least {_cell(bound['least'])}, shown "
                f"{_cell(bound['share'])}, term {_cell(bound['term'])}."
            )


def _segments(one: Mapping[str, Any]) -> Iterator[str]:
    """Of users; a group of few is not measured."""
    if not one.get("segments"):
        return
    yield "\n| segment of users | lists | divergence | tail shown |\n| --- | --- | --- | --- |"
    for name, found in one["segments"].items():
        cells = (found[figure] for figure in ("lists", "divergence", "tail"))
        yield f"| {_cell(name)} | {' | '.join(map(_cell, cells))} |"
    gaps = one["gaps"]
    yield f"\nGap: divergence {_cell(gaps['divergence'])}, tail {_cell(gaps['tail'])}."


def _by_segment(report: Mapping[str, Any]) -> Iterator[str]:
    """What lists are worth to segments of users."""
    quality, gaps = (report["quality"] or {}).get("segment"), report["quality_gaps"]
    if not quality or not gaps:
        return
    yield "\n| segment of users | NDCG@10 | HR@10 |\n| --- | --- | --- |"
    for name, found in quality.items():
        yield f"| {_cell(name)} | {_cell(found['ndcg10'])} | {_cell(found['hr10'])} |"
    yield f"\nGap: NDCG@10 {_cell(gaps['ndcg10'])}, HR@10 {_cell(gaps['hr10'])}."


def _bullets(title: str, lines: list[str]) -> Iterator[str]:
    yield f"\n## {title}\n"
    if not lines:
        yield "docs/trust.md is not installed here."
    for line in lines:
        yield f"- {line}"


def _cell(value: object) -> str:
    """In a row of a table: one line without markup of its own."""
    if value is None or value == []:
        return NOT_MEASURED
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, list):
        return ", ".join(_cell(one) for one in value)
    return printable(str(value)).replace("|", "\\|").replace("<", "&lt;")


def _utc(ms: int | None) -> str:
    if ms is None:
        return "–"
    try:
        return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, OSError, ValueError):
        return f"{ms} ms"
