"""The support desk as its users run it: a process under the supervisor, the real encoder, real
Kafka, kill -9 in the midst.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from stream.broker.topics import ensure_topics
from tests.faults.scenarios.uses import desk_under_kills
from upwell.client import client_options
from upwell.settings import load_settings


@pytest.mark.slow  # `make faults` has it, and tests/stream/uses a crash at each step
def test_kills_lose_no_question_and_answer_none_twice(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    own = {"UPWELL_KAFKA": kafka, "UPWELL_PREFIX": prefix, "UPWELL_DATA": str(tmp_path)}
    settings = load_settings({**own, "UPWELL_PARTITIONS": "2"})
    ensure_topics(prefix, settings.kafka.partitions, client_options(settings.kafka))
    recoveries = desk_under_kills(settings, tmp_path / "logs", Random(3), kills=2)
    assert len(recoveries) == 2
