"""Every figure that a worker tells: its name in Prometheus, unit and meaning, and where it stands
in the worker's record on the topic `metrics`.

The one place that says so: docs/metrics.md and the exposition are made of it, and a test holds the
records of a running engine against it. It computes none of them.
"""

from __future__ import annotations

from collections.abc import Mapping

from stream.metrics.catalogue import CATALOGUE
from stream.metrics.fairness import FAIRNESS, UNTOLD_FAIRNESS
from stream.metrics.gateway import FIGURES
from stream.metrics.metric import Metric, Role
from stream.metrics.privacy import PRIVACY
from stream.metrics.quarantine import QUARANTINE
from stream.metrics.reading import READING
from stream.metrics.uses import USES

__all__ = ["METRICS", "UNTOLD"]

LEARN: tuple[Role, ...] = ("learn",)
ALL: tuple[Role, ...] = ("serve", "learn", "gateway")
PROCESSES: tuple[Role, ...] = (*ALL, "encode", "desk", "watch")

METRICS = (
    # is it up
    Metric(
        "reported_timestamp_seconds",
        "gauge",
        "at",
        "UTC seconds",
        "when the worker last said how it is, from the loop that does its work; each second",
        (*PROCESSES, "standby"),
        scale=0.001,
    ),
    Metric(
        "thread_beat_age_seconds",
        "gauge",
        "beats.{thread}",
        "seconds",
        "since each thread that works last passed; of `encoder`, how long its call has taken",
        ("serve", "encode"),
    ),
    Metric(
        "resident_memory_bytes",
        "gauge",
        "process.resident_bytes",
        "bytes",
        "memory that the process holds",
        PROCESSES,
    ),
    Metric(
        "cpu_seconds",
        "counter",
        "process.cpu_seconds",
        "seconds",
        "processor time that the process has taken, all threads",
        PROCESSES,
    ),
    Metric("items", "gauge", "items", "items", "in the catalogue, deleted ones too", ALL),
    Metric("items_to_renew", "gauge", "to_renew", "items", "with vectors of an encoder before"),
    Metric("hot_users", "gauge", "hot_users", "users", "whose state the worker holds in memory"),
    # what went through
    Metric("records", "counter", "counts.events", "records", "of users' topics, worked off"),
    Metric("announcements", "counter", "counts.items", "records", "of items"),
    Metric("lists", "counter", "counts.lists", "lists", "that were published"),
    Metric(
        "dead_letters",
        "counter",
        "dead_letters.{reason}",
        "records",
        "that were no event, by reason (docs/events.md)",
    ),
    Metric(
        "dropped",
        "counter",
        "counts.{reason:duplicates|bounces|bots|forgotten|stale_items}",
        "events",
        "without effect, by reason; `forgotten`: of users who were forgotten since",
        seldom=True,
    ),
    Metric(
        "rerouted",
        "counter",
        "counts.rerouted",
        "events",
        "that came on another partition than their user's and were sent on",
    ),
    Metric(
        "masked_texts",
        "counter",
        "counts.masked",
        "texts",
        "of users that were read without what the policy masks (docs/policy.md)",
    ),
    Metric("merged_guests", "counter", "counts.merged", "guests", "who became who logged in"),
    Metric(
        "removed_unread",
        "counter",
        "counts.removed_unread",
        "offsets",
        "that retention removed before the worker came to them, at its start",
    ),
    Metric(
        "unknown_fields",
        "counter",
        "unknown_fields.{field}",
        "events",
        "with a field that Upwell does not know; of at most 100 names",
        seldom=True,
    ),
    # is it fresh
    Metric(
        "lag_records",
        "gauge",
        "lag.{topic}",
        "records",
        "of the worker's own partitions that are not acknowledged, as of the last 10 seconds",
        seldom=True,
    ),
    Metric(
        "freshness_seconds",
        "histogram",
        "freshness",
        "seconds",
        "from when an event reached the broker until its list is acknowledged by all replicas",
    ),
    Metric("batch_events", "histogram", "batches.{chain}", "records", "in a micro-batch, by chain"),
    Metric(
        "batch_seconds",
        "histogram",
        "batch_seconds.{chain}",
        "seconds",
        "from a micro-batch's beginning until it may be acknowledged, by chain",
    ),
    Metric(
        "stage_seconds",
        "histogram",
        "stages.{stage}",
        "seconds",
        "that a stage took of a micro-batch; `encode_items` is the catalogue's, the others are "
        "part of a list's way",
    ),
    *READING,
    Metric(
        "model_examples",
        "gauge",
        "model_examples",
        "examples",
        "that the model has learned which ranks here: between learn and serve, how far behind it "
        "is; also the number that its version begins with",
        ALL,
    ),
    Metric(
        "model_changed_timestamp_seconds",
        "gauge",
        "model_at",
        "UTC seconds",
        "when the worker last took over a newer model",
        ("serve", "gateway"),
        scale=0.001,
    ),
    Metric("examples", "counter", "examples", "examples", "learned since the start", LEARN),
    Metric("examples_waiting", "gauge", "waiting", "examples", "not learned yet, about", LEARN),
    Metric(
        "learning_share",
        "gauge",
        "share",
        "share",
        "of tests and training steps that there is time for; counts take every example",
        LEARN,
    ),
    Metric(
        "spans",
        "counter",
        "spans.ended",
        "spans",
        "of traces that ended (docs/tracing.md)",
        seldom=True,
    ),
    Metric(
        "spans_dropped",
        "counter",
        "spans.dropped",
        "spans",
        "of these that no collector got, since it was away or slow",
        seldom=True,
    ),
    # is it good
    Metric(
        "ndcg10",
        "gauge",
        "figures.running.{model}.ndcg10.{slice}",
        "NDCG@10",
        "of the model and its peers over the last thousand targets or so (half-life), each ranked "
        "over the whole catalogue before it is learned, by slice",
        LEARN,
        seldom=True,
    ),
    Metric(
        "hr10",
        "gauge",
        "figures.running.{model}.hr10.{slice}",
        "share",
        "of these targets that stood among the first ten",
        LEARN,
        seldom=True,
    ),
    Metric("targets", "counter", "figures.targets.{slice}", "targets", "that were tested", LEARN),
    Metric(
        "coverage10",
        "gauge",
        "figures.model.coverage10",
        "share",
        "of the catalogue that stood in some tested first ten",
        LEARN,
    ),
    Metric(
        "exposure_gini",
        "gauge",
        "figures.model.gini",
        "index",
        "of exposure in tested first tens: 0 is even, 1 is all on one item",
        LEARN,
        seldom=True,
    ),
    Metric("tests", "counter", "tests.{what}", "targets", "drawn by lot, and taken", LEARN),
    Metric(
        "rulings",
        "counter",
        "candidates.{verdict}",
        "candidates",
        "of the guard, by what became of trained weights",
        LEARN,
    ),
    Metric(
        "train_loss",
        "gauge",
        "train.loss.{part}",
        "nats",
        "of the newest steps",
        LEARN,
        seldom=True,
    ),
    Metric("train_steps", "counter", "train.steps", "steps", "of training", LEARN, seldom=True),
    Metric(
        "train_refused",
        "counter",
        "train.refused",
        "steps",
        "with a loss or a gradient that is not finite: nothing was changed by them",
        LEARN,
        seldom=True,
    ),
    *CATALOGUE,
    *PRIVACY,
    *QUARANTINE,
    *FAIRNESS,
    *FIGURES,
    *USES,
)

UNTOLD: Mapping[str, str] = {
    "role": "a label of upwell_worker_info",
    "engine": "a label of upwell_worker_info",
    "store": "a label of upwell_worker_info",
    "instance": "the label `worker`",
    "leaves": "a scrape sees it as `up`",
    "model_version": "another one each second: model_examples is its number",
    "waits_for": "a name",
    "ruled.verdict": "a name: what the guard ruled last; rulings counts them",
    "ruled.examples": "learned since that ruling; rulings has when",
    "topic_id": "a name",
    "encoder": "a name: its revision",
    "positions.{partition}": "offsets",
    "counts.dead_letters": "of users' topics alone: dead_letters has all, by reason",
    "figures.model.{figure}.{slice}": "since the start: ndcg10 and hr10 are the running ones",
    "figures.peers.{model}.{figure}.{slice}": "likewise",
    **UNTOLD_FAIRNESS,
}
"""What else stands in records, and why Prometheus does not get it."""
