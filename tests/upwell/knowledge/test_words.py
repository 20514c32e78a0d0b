"""The client's words, without a broker: `tests/upwell/test_client.py` sends them."""

from __future__ import annotations

import pytest

from upwell.events import Event, Knowledge, KnowledgeKind
from upwell.knowledge.words import KnowledgeWords


class Noting(KnowledgeWords):
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[Event] = []

    def send(self, event: Event) -> None:
        self.sent.append(event)


def test_words_become_records_that_are_sent_and_returned() -> None:
    client = Noting()
    triple = client.triple("i1", "series", value="Alien", ts=5)
    rule = client.rule("r", category="Snow", months=(12,), deleted=True, ts=6)
    assert client.sent == [triple, rule]
    assert triple == Knowledge(
        ts=5, kind=KnowledgeKind.TRIPLE, item_id="i1", relation="series", value="Alien"
    )
    assert (rule.kind, rule.rule_id, rule.deleted) == (KnowledgeKind.FILTER, "r", True)
    assert client.triple("i1", "like", "i2").ts > 1_700_000_000_000


def test_a_client_says_how_it_sends() -> None:
    with pytest.raises(NotImplementedError):
        KnowledgeWords().rule("r")
