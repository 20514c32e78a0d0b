"""The slow loop by itself, on a real engine: what users did on its topics makes another encoder,
the trial proves it better, and the engine that runs has it in force.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import orjson
import pytest

from encoders.adapt import Objective, Options, Schedule
from stream.ops.encoder.learning import learn_once
from stream.ops.encoder.service import standing
from stream.replay.adaptation.comparison import Opinion
from stream.replay.log import LogRecord
from tests.e2e.engine import Engine
from tests.e2e.test_encoder import catalogue, made_by
from tests.e2e.test_snapshot import play
from tests.encoders.tiny import tiny_model
from upwell.events import Topic
from upwell.system.clock import now_ms

WORDS = (
    *("apple", "river", "stone", "cloud", "piano", "tiger", "chair", "glass", "horse", "train"),
    *("paper", "lemon", "ocean", "knife", "candle", "bridge", "garden", "rocket", "butter"),
    *("window", "desert", "pencil", "forest", "mirror"),
)
KINDS, USERS, LIKES = 2, 200, 6
START = 1_600_000_000_000


def records() -> tuple[list[LogRecord], list[LogRecord]]:
    """Items of one word, and users who like words of one kind of two, which the words do not
    tell.
    """
    items = [
        record(Topic.ITEMS, f"i{row}", item_id=f"i{row}", ts=START, title=word)
        for row, word in enumerate(WORDS)
    ]
    lot, likes = Random(1), []
    for number in range(LIKES * USERS):
        user = number % USERS
        item = lot.choice(range(user % KINDS, len(WORDS), KINDS))
        likes.append(
            record(
                Topic.CLICKS,
                f"u{user}",
                event_id=f"e{number}",
                ts=START + 1_000 * number,
                user_id=f"u{user}",
                item_id=f"i{item}",
                action="like",
            )
        )
    return items, likes


def record(topic: Topic, key: str, **value: object) -> LogRecord:
    return LogRecord(1, topic, key.encode(), orjson.dumps(value))


@pytest.mark.slow  # its steps: tests/encoders/adapt, tests/stream/ops/commands/encoders
@pytest.mark.timeout(400)
def test_what_users_did_makes_an_encoder_that_comes_into_force(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    items, likes = records()
    own = {
        "UPWELL_ENCODER": str(tiny_model(tmp_path / "tiny")),
        "UPWELL_DEVICE": "cpu",
        "UPWELL_ENCODER_ENGINE": "torch",
        "UPWELL_VECTORS": str(tmp_path / "vectors"),
    }
    options = Options("top:1", Objective(mlm=0.0), Schedule(steps=60, rate=3e-3, every=10))
    with Engine(kafka, prefix, tmp_path / "data", **own) as engine:
        play(engine, [*items, *likes])
        done = learn_once(engine.settings, tmp_path / "models", options, now_ms(), lambda _: None)
        assert done.tried is not None
        assert done.tried.opinion is Opinion.BETTER
        assert done.promoted
        stands = standing(engine.settings)
        assert stands["said"][-1]["by"] == "guard"
        engine.wait(made_by(engine, stands["in_force"]["vectors"]), "all items")
        assert len(catalogue(engine)) == len(WORDS)
    assert stands["in_force"]["model"] == str(tmp_path / "models" / Path(done.adapted.folder or ""))
