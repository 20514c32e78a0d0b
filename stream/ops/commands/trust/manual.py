"""What the manual says of `upwell fairness`, `upwell policy`, `upwell harm`, `upwell privacy`."""

from __future__ import annotations

from collections.abc import Mapping

from stream.ops.commands.entry import Entry
from upwell.system.exit_codes import ExitCode

__all__ = ["TRUST"]

TRUST: Mapping[str, Entry] = {
    "fairness": Entry(
        "upwell fairness",
        (ExitCode.BROKER,),
        "what the workers said last",
        {
            "workers": "of each serve worker that published lists what docs/fairness.md says",
            "quality": "`ndcg10` and `hr10` by group; null where no learner speaks",
            "quality_gaps": "between the best and the worst segment of users that "
            "UPWELL_FAIR_SEGMENTS names; null where none is named",
        },
    ),
    "privacy": Entry(
        "upwell privacy",
        (ExitCode.BROKER,),
        "what the learner said last of its budget; all null where it has none",
        {
            "epsilon": "of the whole budget",
            "delta": "of the whole budget",
            "spent": "of epsilon, so far",
            "epochs": "that were told so far",
            "exhausted": "nothing is learned of new events any more",
            "users": "of whom something counted",
        },
    ),
    "policy": Entry(
        "upwell policy policy.toml log.jsonl.gz",
        (ExitCode.LOG,),
        "what was found",
        {
            "texts": "that there are, by topic",
            "harmful": "of them with a term, by topic",
            "terms": "of each `list` and `term` its `hits`, and around which words the first "
            "`examples` stand; the most frequent first",
        },
    ),
    "harm": Entry("upwell harm learn texts.csv --to harm.json"),
    "harm learn": Entry(
        "upwell harm learn texts.csv --to harm.json --false-hits 0.001",
        (ExitCode.LOG,),
        "what was learned",
        {
            "name": "of the label: the list's name",
            "threshold": "probability from which on a text is harmful",
            "examples": "different texts, `harmful` and `harmless`",
            "held_out": "`precision`, `recall` and `false_hits` on a fifth that had no say: each "
            "with its `share`, `of` how many, and the `interval` of 95 %",
        },
    ),
    "harm why": Entry(
        "upwell harm why policy.toml darn",
        (),
        "what was found",
        {
            "hits": "each `list` and `term`",
            "classifier": "null without one; else its `name`, `probability`, `threshold`, and the "
            "`grams` that speak most for harm, with what each `adds` to the log-odds",
        },
    ),
}
