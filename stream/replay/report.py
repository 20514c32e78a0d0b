"""What the command line shows of a run and of a list. It formats; it measures nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from textwrap import shorten
from typing import Any

from rich.console import Console, Group

from stream.replay.evaluate import Evaluation
from stream.replay.table import Rows, plain
from upwell.reasons import Sentences
from upwell.recommendations import Confirmation, DeadLetter, Entry, Recommendations

__all__ = [
    "evaluation_table",
    "letter_text",
    "letters_table",
    "list_table",
    "show_confirmation",
    "show_report",
]

SLICES = ("all", "cold_user", "cold_item", "warm")
SHOWN_REASONS = 3
SHORT_DETAIL = 100


def show_report(report: Mapping[str, Any], console: Console) -> None:
    """The demo's report."""
    fresh = report["freshness_ms"]
    totals = Rows("what", "how much", title="What went through")
    totals.add_row("events in", f"{report['events_in']:,}")
    totals.add_row("lists out", f"{report['lists_out']:,}")
    totals.add_row(
        "dead letters / bad lines / duplicates",
        f"{report['dead_letters']} / {report['bad_lines']} / {report['duplicates']}",
    )
    if unknown := report["unknown_fields"]:
        totals.add_row(
            "fields kept out",
            ", ".join(f"{plain(name)} {count:,}" for name, count in unknown.items()),
        )
    totals.add_row("events a second, served and learned", f"{report['events_per_s']:,.0f}")
    totals.add_row(_catalogue(report["catalogue_texts"]), f"{report['items_per_s']:,.0f}")
    totals.add_row(
        "freshness, click to list (p50 / p99)",
        f"{fresh['p50']:.0f} ms / {fresh['p99']:.0f} ms over {fresh['lists']:,} lists",
    )
    if told := report.get("private"):
        totals.add_row(
            "privacy (docs/private.md)",
            f"ε {told['spent']:.2f} of {told['epsilon']:g} at δ {told['delta']:.2g}, "
            f"{told['epochs']} epochs",
        )
    totals.add_row("wall time", f"{report['wall_s']:.0f} s")
    console.print(Group(totals, quality_table(report), example_table(report["example"])))


def _catalogue(texts: Mapping[str, int]) -> str:
    """A second start of the same catalogue is not to be taken for a first."""
    if not texts["from_disk"]:
        return "catalogue, items encoded a second"
    kept, encoded = texts["from_disk"], texts["encoded"]
    return f"catalogue, items a second ({kept:,} vectors from disk, {encoded:,} encoded)"


def quality_table(report: Mapping[str, Any]) -> Rows:
    """NDCG@10 of the model and its peers, tested on each target before it was learned."""
    targets = report["targets"]
    title = (
        f"NDCG@10, each of {targets['all']:,} targets ranked over the whole catalogue before it "
        "is learned"
    )
    slices = (f"{name.replace('_', ' ')} ({targets[name]:,})" for name in SLICES)
    table = Rows("", *slices, title=title)
    table.add_row(
        "[bold]Upwell[/]", *(f"[bold]{_figure(report['ndcg10'][name])}[/]" for name in SLICES)
    )
    for peer, figures in report["peers"].items():
        table.add_row(peer.replace("_", " "), *(_figure(figures[name]) for name in SLICES))
    table.add_row("Upwell, HR@10", *(_figure(report["hr10"][name]) for name in SLICES), style="dim")
    return table


def example_table(example: Mapping[str, Any]) -> Rows:
    """One user's list with reasons."""
    title = f"The newest list: user {plain(example['user_id'])}"
    table = Rows("", "item", "score", "why", title=title)
    for place, item in enumerate(example["items"], 1):
        table.add_row(
            str(place),
            plain(item["title"] or ""),
            f"{item['score']:.2f}",
            _said(item["why"]),
        )
    return table


def list_table(recommendations: Recommendations, sentences: Sentences | None) -> Rows:
    """A list as `upwell watch` and `upwell recommend` show it. sentences: for people; without them
    each signal's share.
    """
    when = f"{recommendations.latency_ms} ms after {recommendations.trigger}"
    title = plain(
        f"user {recommendations.user_id} · {when} · model {recommendations.model_version}"
    )
    table = Rows("", "item", "score", "why", title=title)
    for place, entry in enumerate(recommendations.items, 1):
        table.add_row(
            str(place),
            plain(entry.title or entry.item_id),
            f"{entry.score:.2f}",
            _why(entry) if sentences is None else _said(sentences.of(entry)),
        )
    return table


def show_confirmation(confirmation: Confirmation, console: Console) -> None:
    """What was removed of a user, and what remains."""
    removed = ", ".join(f"{count} {what}" for what, count in confirmation.removed.items())
    console.print(
        plain(f"{confirmation.user_id} is forgotten; removed: {removed}"), highlight=False
    )
    console.print(
        "what remains:",
        *(f"- {sentence}" for sentence in confirmation.remains),
        sep="\n",
        highlight=False,
    )


def letters_table(letters: Sequence[DeadLetter], replayed: int) -> Group:
    """What `upwell dead-letters list` shows. replayed: how many more there were."""
    table = Rows("key", "when (UTC)", "topic", "reason", "detail", title="Dead letters")
    for one in letters:
        table.add_row(
            plain(one.place),
            _utc(one.ts),
            plain(one.topic),
            plain(one.reason),
            plain(shorten(one.detail, SHORT_DETAIL)),
        )
    counted = Counter(one.reason for one in letters)
    reasons = ", ".join(f"{count:,} {plain(reason)}" for reason, count in counted.most_common())
    return Group(
        table,
        f"{len(letters):,} wait"
        + (f" ({reasons})" if reasons else "")
        + f"; {replayed:,} were replayed",
    )


def letter_text(letter: DeadLetter) -> str:
    """What `upwell dead-letters show` shows: bytes that are no UTF-8 as escapes, control characters
    as marks.
    """
    sent = "none" if letter.key is None else letter.key.decode(errors="backslashreplace")
    rows = {
        "key": letter.place,
        "when": f"{_utc(letter.ts)} UTC",
        "reason": letter.reason,
        "detail": letter.detail,
        "record's key": sent,
        "user": letter.user or "cannot be told",
        "replayed": "no"
        if letter.replayed_at is None
        else f"{_utc(letter.replayed_at)} UTC; its bytes are no longer kept here",
        f"{len(letter.raw):,} bytes": letter.raw.decode(errors="backslashreplace"),
    }
    return "\n".join(f"{name:<14}{plain(value)}" for name, value in rows.items())


def evaluation_table(evaluation: Evaluation, policy: str) -> Group:
    """What `upwell evaluate` shows."""
    valued, counts = evaluation.valued, evaluation.counts
    title = (
        f"Reward of a place shown, 95 % interval ({counts['impressions']:,} impressions of "
        f"{counts['users']:,} users)"
    )
    table = Rows("policy", "estimate", "reward", "from", "to", title=title)
    rows = [
        ("the log's own", "mean", valued.logged),
        ("the log's own", "mean of places drawn by lot", evaluation.by_lot),
        ("the log's own", "mean of such places, not drawn", evaluation.otherwise),
        (policy, "IPS", valued.ips),
        (policy, "SNIPS", valued.snips),
        (policy, "doubly robust", valued.dr),
    ]
    for name, estimator, found in rows:
        if found is not None:
            table.add_row(
                name, estimator, f"{found.value:.4f}", f"{found.low:.4f}", f"{found.high:.4f}"
            )
    weights = (
        f"weights that count as equal: {valued.effective:,.1f} of {valued.places:,} places, "
        f"{valued.effective_users:,.1f} users"
    )
    share = (
        "" if valued.covered is None else f"; mean weight {valued.covered.value:.3f} (should be 1)"
    )
    verdict = () if valued.abstains is None else (f"abstains: {valued.abstains}",)
    return Group(table, weights + share, *verdict)


def _said(sentences: Sequence[str]) -> str:
    return plain(" ".join(sentences))


def _why(entry: Entry) -> str:
    return " · ".join(
        f"{one.signal.replace('_', ' ')} {one.weight:+.2f}"
        + (f" (because of {plain(one.because)})" if one.because else "")
        for one in entry.reasons[:SHOWN_REASONS]
    )


def _utc(ts: int) -> str:
    return datetime.fromtimestamp(ts / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
