"""What the manual says of the commands about one user's data."""

from __future__ import annotations

from stream.ops.commands.entry import Entry
from upwell.system.exit_codes import ExitCode

__all__ = ["EXPORT", "FORGET", "RELEARN"]

FORGET = Entry(
    "upwell forget --user 331",
    (ExitCode.BROKER,),
    "the confirmation, as docs/schemas/confirmations.schema.json has it",
)

EXPORT = Entry(
    "upwell export --user 331 --out 331.json",
    (ExitCode.BROKER, ExitCode.STORE, ExitCode.MODEL),
    "all that is held of the user",
    {
        "user_id": "the app's own",
        "pseudonym": "under which the rest is kept",
        "at": "of this look, UTC ms",
        "held": "whether anything is, beside that a user was forgotten",
        "forgotten_ms": "up to when the user was forgotten, UTC ms; null where never",
        "store": "where the state was read",
        "state": "intent vector, history, items had, impressions, counters, watermarks; null "
        "where there is none",
        "guests": "who is the same person: `ids` as far as `controls` still names them, and "
        "`states` by pseudonym",
        "learner": "`windows` of events in the newest `checkpoint`",
        "uses": "of `desk` and `watch`, where they ran here, what the newest `checkpoint` has "
        "`kept`",
        "kept_lists": "of which lists it is kept on this machine what they were made of "
        "(UPWELL_EXPLAIN), with `--events` what that is",
        "newest_list": "as it was published; null where none is kept",
        "topics": "of each topic `count`, `oldest_ms`, `newest_ms`, with `--events` the `records`",
        "not_in_here": "what was not looked at, a sentence each",
    },
)

RELEARN = Entry(
    "upwell relearn --wait 3600",
    (ExitCode.SNAPSHOT, ExitCode.MODEL),
    "what serves now",
    {"version": "of the model, once it is in place; null where that was not waited for"},
)
