"""Which rules a micro-batch brings, replaces and takes back, and what the topic `rules` tells of
them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from stream.chain.records import Arrival, BroadcastRecord, letter_of
from stream.chain.wire import decode_rule
from upwell.events import Knowledge
from upwell.knowledge import Rule
from upwell.recommendations import DeadLetter

__all__ = ["MOST_RULES", "rules_of", "rules_told"]

MOST_RULES = 256
"""Of all workers, about: each tells the others, and knows of theirs a moment later."""


def rules_of(
    said: Sequence[Arrival], held: Collection[str], now_ms: int
) -> tuple[dict[str, Rule | None], list[DeadLetter]]:
    """By id what each is after these records, None of one that was taken back; dead letters for
    new rules that are too many. held: ids of those that hold before.
    """
    rules: dict[str, Rule | None] = {}
    ids = set(held)
    letters = []
    for arrival in said:
        known = arrival.event
        assert isinstance(known, Knowledge)
        rule_id = known.rule_id
        if rule_id is None:
            continue
        if known.deleted:
            rules[rule_id] = None
            ids.discard(rule_id)
        elif rule_id not in ids and len(ids) >= MOST_RULES:
            letters.append(letter_of(arrival, "knowledge_full", _FULL, now_ms))
        else:
            rules[rule_id] = Rule.of(known)
            ids.add(rule_id)
    return rules, letters


def rules_told(records: Iterable[BroadcastRecord]) -> dict[str, Rule | None]:
    """By id what records of `rules` say, the last of each. Raises `BrokerError`."""
    return dict(decode_rule(record.value) for record in records if record.value is not None)


_FULL = (
    f"{MOST_RULES} rules hold, as many as may: take one back (deleted), then send this one again"
)
