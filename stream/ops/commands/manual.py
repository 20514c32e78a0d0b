"""Of each command: one example, what it ends with beside `ALWAYS`, and what `--json` prints. Help
and docs/cli.md are made of it, and tests hold the commands to it.
"""

from __future__ import annotations

from collections.abc import Mapping

from stream.ops.commands.audit.manual import AUDIT
from stream.ops.commands.entry import ALWAYS, Entry
from stream.ops.commands.explain.manual import EXPLAIN
from stream.ops.commands.federate.manual import FEDERATE
from stream.ops.commands.recipes.manual import RECIPES
from stream.ops.commands.review.manual import REVIEW
from stream.ops.commands.trust.manual import TRUST
from stream.ops.commands.users.manual import EXPORT
from upwell.system.exit_codes import ExitCode

__all__ = ["ALWAYS", "MANUAL", "Entry"]

BROKER, STORE, ENCODER = ExitCode.BROKER, ExitCode.STORE, ExitCode.ENCODER
MODEL, SNAPSHOT, LOG = ExitCode.MODEL, ExitCode.SNAPSHOT, ExitCode.LOG
ENGINE = (BROKER, STORE, ENCODER, MODEL)
A_LIST = "a list, as docs/schemas/recommendations.schema.json has it"

MANUAL: Mapping[str, Entry] = {
    "": Entry("upwell demo --events 3000"),
    "demo": Entry(
        "upwell demo --events 3000 --json",
        (*ENGINE, LOG),
        "the report",
        {
            "events_in": "announcements and events that were sent",
            "lists_out": "lists that were published",
            "dead_letters": "records that were no event",
            "bad_lines": "lines of the log that are no record",
            "duplicates": "events that came again, without effect",
            "unknown_fields": "fields that were kept out, by name",
            "events_per_s": "events a second, served and learned",
            "items_per_s": "announcements a second",
            "catalogue_texts": "where the items' vectors came from, by source",
            "freshness_ms": "`p50` and `p99` from click to list over so many `lists`; ms",
            "targets": "that were tested, by slice",
            "ndcg10": "of Upwell's lists, by slice",
            "hr10": "of Upwell's lists, by slice",
            "peers": "NDCG@10 of each peer, by slice",
            "example": "`user_id` and the `items` of the newest list",
            "private": "with --private what `upwell privacy --json` says; else null",
            "wall_s": "seconds in all",
        },
    ),
    "run": Entry("upwell run", ENGINE),
    "serve": Entry("upwell serve --port 8080", ENGINE),
    "worker": Entry("upwell worker serve"),
    "worker serve": Entry("upwell worker serve", (*ENGINE, ExitCode.UNFORESEEN, ExitCode.STALLED)),
    "worker learn": Entry("upwell worker learn --alone", (*ENGINE, ExitCode.UNFORESEEN)),
    "top": Entry(
        "upwell top --once --json",
        (BROKER,),
        "how the engine is, each second",
        {
            "at": "of this look, UTC ms",
            "window_s": "seconds that rates and quantiles are of",
            "events_per_s": "events of users that were worked off; null before two words",
            "lists_per_s": "lists that were published; null before two words",
            "items_per_s": "announcements that were worked off; null before two words",
            "batch_events": "events in a micro-batch, mean; null where there was none",
            "freshness_ms": "`p50` and `p99` from event to list over so many `lists`; ms",
            "lag": "records not acknowledged, by topic",
            "quality": "`ndcg10` and `hr10` of Upwell, the `peer` with the best `peer_ndcg10`; "
            "running figures over all `targets`; null before the first",
            "guard": "`rulings` by verdict, the last `verdict` and how many `examples` ago",
            "model": "`version`, `age_s` since serve took it over, `behind`: examples that learn "
            "has learned and serve has not; null where no serve worker speaks",
            "dead_letters": "since the workers' starts, by reason",
            "users": "whose state is held in memory",
            "items": "in the catalogue",
            "workers": "of each `name`, `role`, `engine`, `said_s` (seconds since its last word), "
            "`memory_bytes`, `cpu` (cores)",
        },
        stream=True,
    ),
    "replay": Entry(
        "upwell replay log.jsonl.gz --rate 200",
        (BROKER, LOG),
        "what was sent",
        {
            "sent": "records",
            "bad_lines": "lines that are no record",
            "dead_letters": "of these that are no event, by topic and reason",
            "events_per_s": "records a second",
            "wall_s": "seconds in all",
        },
    ),
    "import": Entry(
        "upwell import auto ml-latest-small --out log.jsonl.gz",
        (LOG,),
        "what was read; without `--out`, where the log itself is on standard output, as the last "
        "line of the error output",
        {
            "kind": "what the files were read as",
            "events": "written, by topic",
            "dirty": "left out, by reason; what was kept all the same stands in brackets",
            "unread": "names of files that were of no use",
        },
    ),
    "watch": Entry("upwell watch --user 331 --count 1", (BROKER,), A_LIST, stream=True),
    "recommend": Entry("upwell recommend --user 331 --k 5", (BROKER,), A_LIST),
    "forget": Entry(
        "upwell forget --user 331",
        (BROKER,),
        "the confirmation, as docs/schemas/confirmations.schema.json has it",
    ),
    "export": EXPORT,
    "doctor": Entry(
        "upwell doctor",
        (),
        "of each check: `fine`, `detail`; with `--settings` of each variable: `value` (secrets as "
        "`***`), `origin`, `right`, `does`",
    ),
    "dead-letters": Entry("upwell dead-letters list"),
    "dead-letters list": Entry(
        "upwell dead-letters list --reason missing_field",
        (BROKER,),
        "what waits",
        {
            "letters": "of each `key`, `ts` (UTC ms), `topic`, `reason`, `detail`",
            "replayed": "how many more there were that have been sent again",
        },
    ),
    "dead-letters show": Entry(
        "upwell dead-letters show clicks-0-17",
        (BROKER, ExitCode.LETTER),
        "the letter, as docs/schemas/dead_letters.schema.json has it",
    ),
    "dead-letters replay": Entry(
        "upwell dead-letters replay --reason missing_field",
        (BROKER, ExitCode.LETTER),
        "what was done",
        {"sent": "keys of letters that were sent", "skipped": "why each other one was not, by key"},
    ),
    "snapshot": Entry(
        "upwell snapshot backup-monday",
        (BROKER, SNAPSHOT, MODEL),
        "what was written",
        {
            "folder": "where it lies",
            "files": "how many",
            "bytes": "of all of them",
            "running": "whether the engine ran meanwhile",
            "beside": "what has to be saved beside it; null where nothing",
        },
    ),
    "restore": Entry(
        "upwell restore backup-monday",
        (BROKER, SNAPSHOT, MODEL, STORE),
        "what was restored",
        {
            "data": "the data folder",
            "files": "how many",
            "records": "that were sent to another broker; 0 where it is the same",
            "beside": "what has to be restored beside it; null where nothing",
            "forgotten_again": "`users` who were forgotten since the snapshot, and of them "
            "`states` and `windows` that were removed",
        },
    ),
    "rollback": Entry(
        "upwell rollback 3120-9f86d081",
        (BROKER, SNAPSHOT, MODEL),
        "what serves now",
        {"version": "of the model"},
    ),
    "evaluate": Entry(
        "upwell evaluate log.jsonl.gz --policy popularity",
        (ENCODER, LOG),
        "the estimate",
        {
            "valued": "`ips`, `snips`, `dr` and `logged`, each `value` with its 95 % interval from "
            "`low` to `high`; `abstains` says why there is none",
            "counts": "`impressions`, `users`, `rewards`, `without_propensities`, `retries`, "
            "`bad_lines`, `dead_letters`",
            "by_lot": "the reward of places that were drawn by lot",
            "otherwise": "the reward of such places that were not",
        },
    ),
    "tune": Entry(
        "upwell tune log.jsonl.gz --trials 30",
        (ENCODER, LOG),
        "what was found",
        {
            "trials": "in the study",
            "pruned": "of them that were ended early",
            "settings": "of each that was searched, by key: what `held`, what was `found`",
            "first": "NDCG@10 on the first part, `held` and `found`",
            "unseen": "NDCG@10 on the rest, `held` and `found`, over so many `targets`; the `gain` "
            "with its 95 % interval from `low` to `high`; null where what held was best",
            "records_per_s": "of both parts, announcements included, `held` and `found`; null "
            "likewise",
            "written": "the file, null where nothing was gained",
        },
    ),
    "adapt": Entry(
        "upwell adapt log.jsonl.gz --out models/adapted --steps 200",
        (ENCODER, LOG),
        "what it did",
        {
            "model": "revision of the encoder before",
            "revision": "of the new one; null where none was written",
            "folder": "of the new one; null where none was written",
            "method": "as it was asked for",
            "pairs": "that were trained on: of `likes`, `searches`, `reviews`",
            "weights": "how many were trained",
            "steps": "of the optimizer that were made",
            "best_step": "whose weights were kept; 0 where none was better than before",
            "loss": "mean over the `first` and the `last` tenth of the steps",
            "validation": "mean reciprocal rank, `before` and at its `best`",
            "targets": "of the test stretch, by slice",
            "before": "NDCG@10 of text nearness, by slice",
            "after": "NDCG@10 of text nearness, by slice",
            "left_out": "lines of the log that are no event",
            "wall_s": "seconds in all",
        },
    ),
    "pictures": Entry("upwell pictures fit log.jsonl.gz --out pictures.map"),
    "pictures fit": Entry(
        "upwell pictures fit log.jsonl.gz --out pictures.map",
        (ENCODER, LOG),
        "what it found",
        {
            "model": "revision of the picture model",
            "encoder": "revision of the text encoder",
            "file": "the map",
            "items": "of the log, with a picture and words",
            "missed": "pictures that could not be had, by reason",
            "pairs": "of a picture and words that were fitted",
            "by_words": "whether words in the picture model's own space taught it too",
            "strength": "of the ridge",
            "held_out": "pairs that were not fitted while `found` was measured",
            "found": "share of these whose picture is among the ten nearest to their words",
            "chance": "that share by chance",
            "wall_s": "seconds in all",
        },
    ),
    **AUDIT,
    **EXPLAIN,
    **REVIEW,
    **RECIPES,
    **FEDERATE,
    **TRUST,
    "encoder": Entry("upwell encoder show"),
    "encoder try": Entry(
        "upwell encoder try models/adapted",
        (BROKER, ENCODER),
        "what was found",
        {
            "encoder": "the candidate: what decides its `vectors`, and where the `model` lies",
            "before": "the one in force, likewise",
            "items": "of the catalogue, all encoded by both",
            "likeness": "of the two sides' vectors, at most 1",
            "opinion": "`better`, `worse`, or `open` where nothing is proven",
            "targets": "that both were asked of",
            "mrr": "mean reciprocal rank, `before` and `after`",
            "ndcg10": "NDCG@10, `before` and `after`",
            "promoted": "whether the candidate is in force now",
        },
    ),
    "encoder learn": Entry(
        "upwell encoder learn models --every 24",
        (BROKER, ENCODER, LOG),
        "what each round did, a line each",
        {
            "adapted": "the fine-tuning: as of `upwell adapt`",
            "tried": "the trial: `opinion`, `targets`, `mrr`, `ndcg10`; null where nothing better "
            "came of it",
            "promoted": "whether the new one is in force now",
        },
    ),
    "encoder promote": Entry(
        "upwell encoder promote models/adapted",
        (BROKER, ENCODER),
        "what changed",
        {"encoder": "in force now", "before": "the one that was"},
    ),
    "encoder rollback": Entry(
        "upwell encoder rollback",
        (BROKER,),
        "what changed",
        {"encoder": "in force now", "before": "the one that was"},
    ),
    "encoder show": Entry(
        "upwell encoder show --json",
        (BROKER, ENCODER),
        "what stands",
        {
            "in_force": "what decides its `vectors`, and where the `model` lies",
            "earlier": "those that a rollback leads to, the next one last",
            "said": "all trials, promotions and rollbacks, oldest first",
        },
    ),
}
