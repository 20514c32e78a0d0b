"""`upwell top` on a screen of any size, and as a line. It formats; it reckons nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from textwrap import wrap
from typing import Any

from rich.cells import cell_len
from rich.console import Group
from rich.text import Text

from stream.replay.table import printable

__all__ = ["SILENT_SECONDS", "nobody", "page", "plain_line"]

SILENT_SECONDS = 5.0
"""A worker says something each second."""
LABEL_COLUMNS = 13
SEPARATOR = " · "
VERDICTS = {"promote": "promoted", "superseded": "superseded", "roll_back": "rolled back"}
NOTHING = "–"


def nobody(topic: str, address: str) -> str:
    """For whoever looks at an engine that does not run."""
    return (
        f"Nobody speaks on {topic} at {address}: start an engine with `upwell run`, or `upwell "
        "demo`, or set UPWELL_KAFKA and UPWELL_PREFIX to those of one that runs."
    )


def page(report: Mapping[str, Any], where: str, columns: int, rows: int) -> Group:
    """All of it; of the workers as many as there is room for. where: broker and prefix."""
    head = [_title(report, where, columns), Text("")]
    body = [line for label, facts in _facts(report) for line in _lines(label, facts, columns)]
    workers = list(_workers(report["workers"], columns))
    room = max(rows - len(head) - len(body) - 2, 2)
    if len(workers) > room:
        left = len(workers) - room + 1
        workers = [*workers[: room - 1], Text(f"and {left} more workers", "yellow")]
    return Group(*head, *body, Text(""), *workers)


def plain_line(report: Mapping[str, Any]) -> str:
    """The same in one line, for logs."""
    fresh, quality = report["freshness_ms"], report["quality"]
    parts = [
        _time(report["at"]),
        f"events/s {_count(report['events_per_s'])}",
        f"lists/s {_count(report['lists_per_s'])}",
        f"lag {sum(report['lag'].values()):,}",
        f"freshness p50 {_ms(fresh['p50'])} p99 {_ms(fresh['p99'])}",
        f"NDCG@10 {_figure(None if quality is None else quality['ndcg10'])}",
        f"dead letters {sum(report['dead_letters'].values()):,}",
        *(f"{printable(one['name'])} {_said(one['said_s'])}" for one in report["workers"]),
    ]
    return SEPARATOR.join(parts)


def _title(report: Mapping[str, Any], where: str, columns: int) -> Text:
    left, right = f"Upwell {where}", _time(report["at"])
    gap = columns - cell_len(left) - cell_len(right)
    between = " " * gap if gap > 0 else "\n"
    return Text(left, "bold", overflow="fold").append(between + right, "not bold dim")


def _facts(report: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[str]]]:
    """A label and its facts a line, none of which may be cut."""
    fresh, lag, letters = report["freshness_ms"], report["lag"], report["dead_letters"]
    yield (
        "throughput",
        [
            f"{_count(report['events_per_s'])} events/s",
            f"{_count(report['lists_per_s'])} lists/s",
            f"{_count(report['items_per_s'])} items/s",
            f"{_count(report['batch_events'])} events a batch",
            f"the last {report['window_s']:.0f} s",
        ],
    )
    yield (
        "freshness",
        [f"p50 {_ms(fresh['p50'])}", f"p99 {_ms(fresh['p99'])}", f"{fresh['lists']:,} lists"],
    )
    waiting = [f"{printable(topic)} {count:,}" for topic, count in lag.items()]
    yield "lag", [f"{sum(lag.values()):,} records", *waiting]
    yield "quality", list(_quality(report["quality"]))
    yield "guard", list(_guard(report["guard"]))
    yield "model", list(_model(report["model"]))
    told = [f"{printable(reason)} {count:,}" for reason, count in letters.items()]
    yield "dead letters", told or ["none"]
    yield "held", [f"{report['users']:,} users in memory", f"{report['items']:,} items"]


def _quality(quality: Mapping[str, Any] | None) -> Iterator[str]:
    if quality is None:
        yield "no target tested yet"
        return
    yield f"NDCG@10 {_figure(quality['ndcg10'])}"
    if quality["peer"] is not None:
        peer = printable(quality["peer"].replace("_", " "))
        yield f"best peer {peer} {_figure(quality['peer_ndcg10'])}"
    yield f"HR@10 {_figure(quality['hr10'])}"
    yield f"{quality['targets']:,} targets"


def _guard(guard: Mapping[str, Any]) -> Iterator[str]:
    for verdict, word in VERDICTS.items():
        yield f"{word} {guard['rulings'].get(verdict, 0):,}"
    if guard["verdict"] is None:
        yield "no ruling since learn's start"
    else:
        word = VERDICTS.get(guard["verdict"], printable(guard["verdict"]))
        yield f"last: {word} {guard['examples']:,} examples ago"


def _model(model: Mapping[str, Any] | None) -> Iterator[str]:
    if model is None:
        yield "no serve worker speaks"
        return
    yield printable(f"{model['version']}")
    yield "not taken over yet" if model["age_s"] is None else f"{_age(model['age_s'])} old"
    if model["behind"] is not None:
        yield f"{model['behind']:,} examples behind learn"


def _lines(label: str, facts: Sequence[str], columns: int) -> Iterator[Text]:
    """Facts beside their label, on as many lines as they take; each whole."""
    indent = LABEL_COLUMNS if columns >= 2 * LABEL_COLUMNS else 2
    rows: list[str] = []
    for fact in facts:
        if rows and indent + cell_len(rows[-1] + SEPARATOR + fact) <= columns:
            rows[-1] += SEPARATOR + fact
        else:
            rows += wrap(fact, max(columns - indent, 1), break_long_words=False)
    if indent < LABEL_COLUMNS:
        yield Text(label, "cyan")
        yield from (Text(f"  {row}", overflow="fold") for row in rows)
        return
    for number, row in enumerate(rows):
        first = Text(f"{label if number == 0 else '':<{indent}}", "cyan")
        yield first.append(row, "default")


def _workers(workers: Sequence[Mapping[str, Any]], columns: int) -> Iterator[Text]:
    several = len({one["engine"] for one in workers}) > 1
    heads = ["worker", "role", "last word", "cpu", "memory", *(["engine"] if several else [])]
    rows = [
        [
            printable(one["name"]),
            printable(one["role"]),
            _said(one["said_s"]),
            NOTHING if one["cpu"] is None else f"{one['cpu']:.2f}",
            NOTHING if one["memory_bytes"] is None else f"{one['memory_bytes'] / 2**20:,.0f} MiB",
            *([printable(one["engine"] or NOTHING)] if several else []),
        ]
        for one in workers
    ]
    widths = [max(cell_len(row[place]) for row in [heads, *rows]) for place in range(len(heads))]
    if sum(widths) + 2 * len(widths) - 2 > columns:
        for row in rows:
            yield Text(SEPARATOR.join(row), overflow="fold")
        return
    for row, style in [(heads, "cyan"), *((row, "") for row in rows)]:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        yield Text("  ".join(cells).rstrip(), "red" if _is_silent(row[2]) else style)


def _said(seconds: float) -> str:
    return f"silent {seconds:.0f} s" if seconds >= SILENT_SECONDS else f"{seconds:.1f} s"


def _is_silent(said: str) -> bool:
    return said.startswith("silent")


def _age(seconds: float) -> str:
    if seconds < 120:
        return f"{max(seconds, 0):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7_200 else f"{seconds / 3_600:.1f} h"


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%H:%M:%S UTC")


def _count(value: float | None) -> str:
    if value is None:
        return NOTHING
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}"


def _ms(value: float | None) -> str:
    return NOTHING if value is None else f"{value:,.0f} ms"


def _figure(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.4f}"
