"""What the manual says of the commands that explain."""

from __future__ import annotations

from collections.abc import Mapping

from stream.ops.commands.entry import Entry
from upwell.system.exit_codes import ExitCode

__all__ = ["EXPLAIN"]

EXPLAIN: Mapping[str, Entry] = {
    "explain": Entry(
        "upwell explain newest --item 50",
        (ExitCode.STORE, ExitCode.ENCODER, ExitCode.MODEL),
        "the list and what it hangs on",
        {
            "list_id": "of the list",
            "user": "the pseudonym",
            "at": "when it was made, UTC ms",
            "same": "whether it came out the same, to the digit",
            "differs": "`place`, `published` and `again` of each entry that did not",
            "items": "as they were published",
            "made_by": "`version` of the model and `version_again` as it comes out now, `items` "
            "that it knew, when the worker `begun` from a checkpoint (UTC ms) and how many `steps` "
            "it took since, `missing` lists of the same call, `processor`, `other_processor` where "
            "this is another",
            "asked": "`k`, `words`, `category`, `surface`, `excluded`, `pinned`, `boosted`, "
            "`worn`, how many `events` and how many of them are `history`, what `bounds` on "
            "exposure added",
            "counterfactual": "of `item_id` (`title`, `place`, `explored`, `pinned`) whether it "
            "`stays` without any event, else the `events` without which it is gone, whether they "
            "are proven the `smallest`, `all_up_to` which size sets were tried, and how many lists "
            "were `tried`; null where the list came out otherwise, or is empty",
        },
    ),
    "card": Entry(
        "upwell card --out card.md",
        (ExitCode.BROKER,),
        "the card",
        {
            "at": "of the card, UTC ms",
            "versions": "of Upwell and of the `model`, how many `examples_learned`, `workers`, the "
            "processor of this command",
            "encoder": "`model` in force, its `revision` as serve tells it, its `licence` as its "
            "own folder states it",
            "data": "of each topic, and of `all` of users, `records`, `users`, `items`, "
            "`oldest_ms`, `newest_ms`",
            "settings": "by variable, those that matter and those that were set; secrets masked",
            "figures": "`targets`, `ndcg10`, `hr10`, `peers_ndcg10` by slice; null where nobody "
            "tested",
            "fairness": "as `upwell fairness --json` has it",
            "privacy": "whose key makes pseudonyms, how many users were forgotten, for how long "
            "lists are kept",
            "promises": "`held` and `not_promised`, of docs/trust.md beside the code",
            "not_for": "what it is not made for",
        },
    ),
}
