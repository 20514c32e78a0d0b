"""What stands on the three dashboards: each panel is a title, a unit, what to see in it, and
queries over the figures of docs/metrics.md. It knows nothing of Grafana's files.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DASHBOARDS", "Dashboard", "Panel", "Query"]

RATE = "[$__rate_interval]"


@dataclass(frozen=True, slots=True)
class Query:
    """expr: PromQL. legend: with labels in double braces."""

    expr: str
    legend: str


@dataclass(frozen=True, slots=True)
class Panel:
    """unit: Grafana's name of it. told: what to see in it."""

    title: str
    unit: str
    told: str
    queries: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """name: of its file, and in its address."""

    name: str
    title: str
    panels: tuple[Panel, ...]


def _panel(title: str, unit: str, told: str, *queries: tuple[str, str]) -> Panel:
    return Panel(title, unit, told, tuple(Query(*one) for one in queries))


def _rate(metric: str, by: str) -> str:
    return f"sum by ({by}) (rate({metric}{RATE}))"


def _quantiles(metric: str, by: str = "") -> tuple[tuple[str, str], ...]:
    """The median and the 99th, by a label where one is named."""
    labels = f"le, {by}" if by else "le"
    legend = f" {{{{{by}}}}}" if by else ""
    return tuple(
        (f"histogram_quantile({q}, sum by ({labels}) (rate({metric}_bucket{RATE})))", name + legend)
        for q, name in ((0.5, "p50"), (0.99, "p99"))
    )


UP = Dashboard(
    "up",
    "Upwell: is it up",
    (
        _panel(
            "Scraped",
            "short",
            "1: Prometheus reaches the worker; 0: it does not",
            ('up{job="upwell"}', "{{instance}}"),
        ),
        _panel(
            "Silent for",
            "s",
            "since a worker last said how it is; a second, and above 60 it is unwell",
            ("time() - upwell_reported_timestamp_seconds", "{{worker}}"),
        ),
        _panel(
            "Threads stand still for",
            "s",
            "since each thread of serve passed; above 120 it is unwell",
            ("upwell_thread_beat_age_seconds", "{{worker}} {{thread}}"),
        ),
        _panel(
            "Records and lists",
            "ops",
            "what goes in and what comes out, a second",
            (_rate("upwell_records_total", "worker"), "{{worker}} records of users"),
            (_rate("upwell_announcements_total", "worker"), "{{worker}} announcements"),
            (_rate("upwell_lists_total", "worker"), "{{worker}} lists"),
            (_rate("upwell_examples_total", "worker"), "{{worker}} examples learned"),
        ),
        _panel(
            "Dead letters",
            "ops",
            "records that were no event, by reason: `upwell dead-letters list`",
            (_rate("upwell_dead_letters_total", "reason"), "{{reason}}"),
        ),
        _panel(
            "Without effect",
            "ops",
            "duplicates, bounces, bots, of the forgotten; fields that are kept out; sent on",
            (_rate("upwell_dropped_total", "reason"), "{{reason}}"),
            (_rate("upwell_unknown_fields_total", "field"), "unknown field {{field}}"),
            (_rate("upwell_rerouted_total", "worker"), "{{worker}} rerouted"),
        ),
        _panel(
            "Memory",
            "bytes",
            "that each process holds",
            ("upwell_resident_memory_bytes", "{{worker}}"),
        ),
        _panel(
            "Processor",
            "percentunit",
            "cores that each process takes",
            (_rate("upwell_cpu_seconds_total", "worker"), "{{worker}}"),
        ),
        _panel(
            "Spans of traces",
            "ops",
            "that ended, and that no collector got: it is away or slow (docs/tracing.md)",
            (_rate("upwell_spans_total", "worker"), "{{worker}} ended"),
            (_rate("upwell_spans_dropped_total", "worker"), "{{worker}} dropped"),
        ),
        _panel(
            "Held",
            "short",
            "items in the catalogue, users in memory, guests who became users, offsets that "
            "retention took before serve came to them",
            ("upwell_items", "{{worker}} items"),
            ("upwell_hot_users", "{{worker}} users"),
            ("upwell_merged_guests_total", "{{worker}} merged guests"),
            ("upwell_removed_unread_total", "{{worker}} removed unread"),
        ),
    ),
)
FRESH = Dashboard(
    "fresh",
    "Upwell: is it fresh",
    (
        _panel(
            "Freshness",
            "s",
            "from an event's append to the broker until its list is acknowledged",
            *_quantiles("upwell_freshness_seconds"),
        ),
        _panel(
            "Lag",
            "short",
            "records that wait for serve, by topic, and examples that wait for learn",
            ("sum by (topic) (upwell_lag_records)", "{{topic}}"),
            ("upwell_examples_waiting", "examples to learn"),
        ),
        _panel(
            "A micro-batch",
            "s",
            "from its beginning until it may be acknowledged, by chain",
            *_quantiles("upwell_batch_seconds", "chain"),
        ),
        _panel(
            "Stages",
            "s",
            "the 99th of a hundred: where a batch's time goes",
            _quantiles("upwell_stage_seconds", "stage")[1],
        ),
        _panel(
            "Batch size",
            "short",
            "records in a micro-batch, the mean",
            (
                f"{_rate('upwell_batch_events_sum', 'chain')} / "
                f"{_rate('upwell_batch_events_count', 'chain')}",
                "{{chain}}",
            ),
        ),
        _panel(
            "Texts",
            "ops",
            "by where their vectors came from; the model reads tokens of those that are encoded",
            (_rate("upwell_user_texts_total", "source"), "users' {{source}}"),
            (_rate("upwell_catalogue_texts_total", "source"), "items' {{source}}"),
            (_rate("upwell_encoded_tokens_total", "worker"), "{{worker}} tokens"),
        ),
        _panel(
            "Cache hits",
            "percentunit",
            "of users' texts, the share that was not encoded",
            (
                f'sum(rate(upwell_user_texts_total{{source="from_memory"}}{RATE})) / '
                f"sum(rate(upwell_user_texts_total{RATE}))",
                "share",
            ),
        ),
        _panel(
            "Model",
            "s",
            "since each serve worker took over a newer model; grows while nothing happens",
            ("time() - upwell_model_changed_timestamp_seconds", "{{worker}}"),
        ),
        _panel(
            "Learned",
            "short",
            "examples that the model knows: where serve's is below learn's, it is behind",
            ("upwell_model_examples", "{{worker}}"),
        ),
        _panel(
            "Time to learn",
            "percentunit",
            "share of tests and training steps that there is time for; below 1 learn is behind",
            ("upwell_learning_share", "share"),
        ),
    ),
)
GOOD = Dashboard(
    "good",
    "Upwell: is it good",
    (
        _panel(
            "NDCG@10 against its peers",
            "none",
            "over the last thousand targets or so, each ranked over the whole catalogue before it "
            "is learned; `model` is Upwell and should stand above all others",
            ('upwell_ndcg10{slice="all"}', "{{model}}"),
        ),
        _panel(
            "HR@10 against its peers",
            "percentunit",
            "targets among the first ten",
            ('upwell_hr10{slice="all"}', "{{model}}"),
        ),
        _panel(
            "NDCG@10 by slice",
            "none",
            "of Upwell, and of the best peer on each slice",
            ('upwell_ndcg10{model="model"}', "{{slice}}"),
            ('max by (slice) (upwell_ndcg10{model!="model"})', "best peer, {{slice}}"),
        ),
        _panel(
            "Targets",
            "ops",
            "tested a second, by slice; drawn by lot and taken",
            (_rate("upwell_targets_total", "slice"), "{{slice}}"),
            (_rate("upwell_tests_total", "what"), "{{what}}"),
        ),
        _panel(
            "The guard's rulings",
            "short",
            "in the last hour, by what became of trained weights",
            ("sum by (verdict) (increase(upwell_rulings_total[1h]))", "{{verdict}}"),
        ),
        _panel(
            "Training loss",
            "none",
            "of the newest steps, by part",
            ("upwell_train_loss", "{{part}}"),
        ),
        _panel(
            "Training steps",
            "ops",
            "done, and refused because something was not finite",
            (_rate("upwell_train_steps_total", "worker"), "steps"),
            (_rate("upwell_train_refused_total", "worker"), "refused"),
        ),
        _panel(
            "Exposure",
            "percentunit",
            "share of the catalogue that stood in tested lists, and how uneven: 1 is all on one",
            ("upwell_coverage10", "coverage"),
            ("upwell_exposure_gini", "Gini index"),
        ),
        _panel(
            "Items that nobody announced",
            "short",
            "that events name, and how many were forgotten for others",
            ("upwell_unannounced_items", "waiting"),
            ("upwell_unannounced_forgotten_total", "forgotten"),
        ),
        _panel(
            "Titles that the encoder cannot read",
            "percentunit",
            "tokens that it does not know; above 5 % take another encoder",
            ("upwell_unknown_title_tokens_total / upwell_title_tokens_total", "{{worker}}"),
        ),
    ),
)
DASHBOARDS = (UP, FRESH, GOOD)
