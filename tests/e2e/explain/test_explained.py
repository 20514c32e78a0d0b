"""Lists as a running engine published them, made again to the digit while it runs: serve is killed
and begins anew in between, learn announces checkpoints, and a user is forgotten.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from kafka import KafkaProducer

from stream.broker.connect import client_options, pseudonym_key
from stream.chain.privacy import Pseudonymizer
from stream.explain.held import explained, kept_of
from stream.ops.access.topics import read_topics
from tests.e2e.engine import Engine, bundled_log, send
from upwell.client import UpwellClient
from upwell.codec import parse_recommendations
from upwell.errors import ModelError
from upwell.events import Topic
from upwell.recommendations import Recommendations

RATINGS = 240
MADE_AGAIN = 12
"""A way each, from the beginning of the worker."""


def published(engine: Engine) -> dict[str, Recommendations]:
    """By list_id, the newest of each."""
    records = read_topics(
        client_options(engine.settings.kafka), engine.settings.kafka.prefix, [Topic.RECOMMENDATIONS]
    )
    lists = [parse_recommendations(one.value or b"") for one in records]
    return {one.list_id: one for one in lists}


@pytest.mark.timeout(600)
def test_what_was_published_is_made_again_to_the_digit(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    items, events = bundled_log(RATINGS)
    environ = {
        "UPWELL_EXPLAIN": "1",
        "UPWELL_FUSED": "on",
        "UPWELL_CHECKPOINT_EXAMPLES": "60",
        "UPWELL_EXPLORE": "0.3",
        "UPWELL_EXPOSURE": "popularity:tail>=0.3",
    }
    with (
        Engine(kafka, prefix, tmp_path, **environ) as engine,
        KafkaProducer(acks="all", **engine.client) as producer,
        UpwellClient(kafka, engine.settings.kafka) as upwell,
    ):
        send(producer, prefix, items)
        engine.wait(engine.settled, "the catalogue")
        for start in range(0, RATINGS, 40):
            send(producer, prefix, events[start : start + 40])
            engine.wait(engine.settled, "a part of the ratings")
            if start == 120:
                os.kill(engine.supervisor.pids["serve"], signal.SIGKILL)
        before = published(engine)
        wanted = list(before)[:: max(1, len(before) // MADE_AGAIN)]
        for list_id in wanted:
            again = explained(engine.settings, list_id)
            assert again.same, list_id
            assert again.entries == before[list_id].items
            assert again.version == before[list_id].model_version
        gone = before[wanted[-1]]
        name = Pseudonymizer(pseudonym_key(engine.settings)).pseudonym(gone.user_id)
        assert kept_of(engine.settings, name)
        upwell.forget(gone.user_id, "op", "asked to", timeout=120)
        assert kept_of(engine.settings, name) == []
        with pytest.raises(ModelError, match="not held"):
            explained(engine.settings, gone.list_id)
