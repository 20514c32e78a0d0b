"""The desk's client beside a running desk, on real Kafka."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stream.uses.desks import desk_options, running
from upwell.errors import InvalidEventError
from upwell.settings import KafkaSettings
from upwell.uses.client import DeskClient


def test_a_question_is_answered_and_a_new_kind_is_proposed(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    options = desk_options(kafka, prefix, tmp_path)
    settings = KafkaSettings(address=kafka, prefix=prefix)
    with running(options), DeskClient(kafka, settings) as desk:
        desk.template("card", "Where is my card", examples=("my card has not arrived",))
        desk.flush()
        answers = desk.answers("ann", timeout=20)
        asked = desk.ask("ann", "where is the card?")
        answer = next(answers)
        assert answer.question_id == asked.question_id
        assert answer.suggestions[0].template_id == "card"
        assert answer.suggestions[0].passage == "my card has not arrived"
        desk.choose(asked.question_id, "card", by="eve")
        proposals = desk.proposals(timeout=20)
        for number in range(5):
            desk.ask(f"u{number}", f"closing my account today number {number}")
        told = next(proposals)
        assert told.size == 5
        assert "account" in told.name
        with pytest.raises(InvalidEventError, match="no words"):
            desk.ask("ann", " ")
