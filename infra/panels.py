"""What stands on the dashboards, over the figures of docs/metrics.md: is it up, is it fresh, is it
good, is it fair, and the gateway. It knows nothing of Grafana's files.
"""

from __future__ import annotations

from infra.fair_panels import FAIR
from infra.gateway_panels import GATEWAY
from infra.panel import RATE, Dashboard, panel, quantiles, rate, rates
from infra.use_panels import USES

__all__ = ["DASHBOARDS"]

UP = Dashboard(
    "up",
    "Upwell: is it up",
    (
        panel(
            "Scraped",
            "short",
            "1: Prometheus reaches the worker; 0: it does not",
            ('up{job="upwell"}', "{{instance}}"),
        ),
        panel(
            "Silent for",
            "s",
            "since a worker last said how it is; a second, and above 60 it is unwell",
            ("time() - upwell_reported_timestamp_seconds", "{{worker}}"),
        ),
        panel(
            "Threads stand still for",
            "s",
            "since each thread of serve passed; above 120 it is unwell",
            ("upwell_thread_beat_age_seconds", "{{worker}} {{thread}}"),
        ),
        panel(
            "Records and lists",
            "ops",
            "what goes in and what comes out, a second",
            rates("records", "worker", "records of users"),
            rates("announcements", "worker", "announcements"),
            rates("lists", "worker", "lists"),
            rates("examples", "worker", "examples learned"),
        ),
        panel(
            "Dead letters",
            "ops",
            "records that were no event, by reason: `upwell dead-letters list`",
            rates("dead_letters", "reason"),
        ),
        panel(
            "Without effect",
            "ops",
            "duplicates, bounces, bots, of the forgotten; fields kept out; texts masked; sent on",
            rates("dropped", "reason"),
            (rate("upwell_unknown_fields_total", "field"), "unknown field {{field}}"),
            rates("rerouted", "worker", "rerouted"),
            rates("masked_texts", "worker", "texts masked"),
        ),
        panel(
            "Memory",
            "bytes",
            "that each process holds",
            ("upwell_resident_memory_bytes", "{{worker}}"),
        ),
        panel(
            "Processor",
            "percentunit",
            "cores that each process takes",
            rates("cpu_seconds", "worker"),
        ),
        panel(
            "Spans of traces",
            "ops",
            "that ended, and that no collector got: it is away or slow (docs/tracing.md)",
            rates("spans", "worker", "ended"),
            rates("spans_dropped", "worker", "dropped"),
        ),
        panel(
            "Held",
            "short",
            "items in the catalogue and those of an encoder before, users in memory, guests who "
            "became users, offsets that retention took before serve came to them",
            ("upwell_items", "{{worker}} items"),
            ("upwell_items_to_renew", "{{worker}} items to renew"),
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
        panel(
            "Freshness",
            "s",
            "from an event's append to the broker until its list is acknowledged",
            *quantiles("upwell_freshness_seconds"),
        ),
        panel(
            "Lag",
            "short",
            "records that wait for serve, by topic, and examples that wait for learn",
            ("sum by (topic) (upwell_lag_records)", "{{topic}}"),
            ("upwell_examples_waiting", "examples to learn"),
        ),
        panel(
            "A micro-batch",
            "s",
            "from its beginning until it may be acknowledged, by chain",
            *quantiles("upwell_batch_seconds", "chain"),
        ),
        panel(
            "Stages",
            "s",
            "the 99th of a hundred: where a batch's time goes",
            quantiles("upwell_stage_seconds", "stage")[1],
        ),
        panel(
            "Batch size",
            "short",
            "records in a micro-batch, the mean",
            (
                f"{rate('upwell_batch_events_sum', 'chain')} / "
                f"{rate('upwell_batch_events_count', 'chain')}",
                "{{chain}}",
            ),
        ),
        panel(
            "Texts",
            "ops",
            "and pictures, by where their vectors came from; the model reads tokens of the encoded",
            (rate("upwell_user_texts_total", "source"), "users' {{source}}"),
            (rate("upwell_catalogue_texts_total", "source"), "items' {{source}}"),
            rates("encoded_tokens", "worker", "tokens"),
            (rate("upwell_pictures_total", "outcome"), "pictures {{outcome}}"),
        ),
        panel(
            "Encoded apart",
            "short",
            "seconds that a chain of serve has waited for encode workers (above 10 none answers); "
            "texts a second that these answered, by chain; records that they passed over",
            ("upwell_encode_wait_seconds", "{{worker}} {{chain}} waits"),
            (rate("upwell_encoded_texts_total", "chain"), "{{chain}}' texts"),
            (rate("upwell_encode_unread_total", "why"), "{{why}}"),
        ),
        panel(
            "Cache hits",
            "percentunit",
            "of users' texts, the share that was not encoded",
            (
                f'sum(rate(upwell_user_texts_total{{source="from_memory"}}{RATE})) / '
                f"sum(rate(upwell_user_texts_total{RATE}))",
                "share",
            ),
        ),
        panel(
            "Model",
            "s",
            "since each serve worker took over a newer model; grows while nothing happens",
            ("time() - upwell_model_changed_timestamp_seconds", "{{worker}}"),
        ),
        panel(
            "Learned",
            "short",
            "examples that the model knows: where serve's is below learn's, it is behind",
            ("upwell_model_examples", "{{worker}}"),
        ),
        panel(
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
        panel(
            "NDCG@10 against its peers",
            "none",
            "over the last thousand targets or so, each ranked over the whole catalogue before it "
            "is learned; `model` is Upwell and should stand above all others",
            ('upwell_ndcg10{slice="all"}', "{{model}}"),
        ),
        panel(
            "HR@10 against its peers",
            "percentunit",
            "targets among the first ten",
            ('upwell_hr10{slice="all"}', "{{model}}"),
        ),
        panel(
            "NDCG@10 by slice",
            "none",
            "of Upwell, and of the best peer on each slice",
            ('upwell_ndcg10{model="model"}', "{{slice}}"),
            ('max by (slice) (upwell_ndcg10{model!="model"})', "best peer, {{slice}}"),
        ),
        panel(
            "Targets",
            "ops",
            "tested a second, by slice; drawn by lot and taken",
            rates("targets", "slice"),
            rates("tests", "what"),
        ),
        panel(
            "The guard's rulings",
            "short",
            "in the last hour, by what became of trained weights",
            ("sum by (verdict) (increase(upwell_rulings_total[1h]))", "{{verdict}}"),
        ),
        panel(
            "Training loss",
            "none",
            "of the newest steps, by part",
            ("upwell_train_loss", "{{part}}"),
        ),
        panel(
            "Training steps",
            "ops",
            "done, and refused because something was not finite",
            (rate("upwell_train_steps_total", "worker"), "steps"),
            (rate("upwell_train_refused_total", "worker"), "refused"),
        ),
        panel(
            "Exposure",
            "percentunit",
            "share of the catalogue that stood in tested lists, and how uneven: 1 is all on one",
            ("upwell_coverage10", "coverage"),
            ("upwell_exposure_gini", "Gini index"),
        ),
        panel(
            "Items that nobody announced",
            "short",
            "that events name, and how many were forgotten for others",
            ("upwell_unannounced_items", "waiting"),
            ("upwell_unannounced_forgotten_total", "forgotten"),
        ),
        panel(
            "Prices",
            "short",
            "items with one of their own, of these beyond what counts, and with their category's",
            ("upwell_prices", "{{counted}}"),
        ),
        panel(
            "Titles that the encoder cannot read",
            "percentunit",
            "tokens that it does not know; above 5 % take another encoder",
            ("upwell_unknown_title_tokens_total / upwell_title_tokens_total", "{{worker}}"),
        ),
    ),
)
DASHBOARDS = (UP, FRESH, GOOD, FAIR, GATEWAY, USES)
