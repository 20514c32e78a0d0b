"""The whole flow on the inline engine: a catalogue of coloured pictures with words, a map of both,
words that find pictures, a picture alone among its like.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pytest
from PIL import Image

from encoders.hashing import HashingEncoder
from encoders.pictures.fitting import fitted
from encoders.pictures.model import PictureModel
from encoders.pictures.placing import Placing
from encoders.pictures.reader import PictureReader
from encoders.pictures.source import Source
from stream.replay.inline import InlineEngine
from stream.replay.log import LogRecord
from tests.encoders.pictures.drawn import data_uri, tiny_resnet
from upwell.events import Topic
from upwell.settings import Settings

COLOURS = {"red": (220, 30, 30), "green": (30, 200, 40), "blue": (30, 40, 220)}
WORDS = {"red": "cherry ripe", "green": "fern moss", "blue": "ocean deep"}
FITTED, EACH = 30, 8
T0 = 1_700_000_000_000
SETTINGS = replace(Settings(), learner=replace(Settings().learner, explore=0.0))


def painted(colour: str, seed: int) -> Image.Image:
    """About this colour."""
    rng = np.random.default_rng(seed)
    pixels = np.array(COLOURS[colour]) + rng.normal(scale=12.0, size=(20, 20, 3))
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def record(topic: Topic, key: str, **value: object) -> LogRecord:
    return LogRecord(0, topic, key.encode(), orjson.dumps({"ts": T0, "event_id": key, **value}))


def announced(item_id: str, colour: str, seed: int, **more: object) -> LogRecord:
    image = data_uri(painted(colour, seed))
    return record(Topic.ITEMS, item_id, item_id=item_id, image=image, **more)


@pytest.fixture
def engine(tmp_path: Path) -> InlineEngine:
    """With a map fitted on thirty of each colour; a few of each are announced."""
    encoder = HashingEncoder(32)
    model = PictureModel(tiny_resnet(tmp_path / "resnet"), "resnet", "cpu")
    rows = [(colour, seed) for colour in COLOURS for seed in range(FITTED)]
    pictures = model.encode([painted(*row) for row in rows])
    words = encoder.encode([WORDS[colour] for colour, _ in rows])
    placing = Placing(fitted(pictures, words).into_texts, 0.3)
    own = InlineEngine(SETTINGS, encoder, pictures=PictureReader(model, Source(), placing))
    few = [(colour, n) for colour, n in rows if n < EACH]
    own.process([announced(f"{colour}{n}", colour, n, title=WORDS[colour]) for colour, n in few])
    return own


def near(engine: InlineEngine, item_id: str) -> list[str]:
    """The kinds of the nearest items."""
    own = engine.catalogue.get(item_id)
    assert own is not None
    others = [f"{colour}{number}" for colour in COLOURS for number in range(EACH)]
    items = {one: engine.catalogue.get(one) for one in others}
    scored = sorted(
        (-float(one.vector @ own.vector), name) for name, one in items.items() if one is not None
    )
    return [name.rstrip("0123456789") for _, name in scored[:EACH]]


def test_a_new_item_with_a_picture_alone_is_placed_among_its_like(engine: InlineEngine) -> None:
    for number, colour in enumerate(COLOURS):
        engine.process([announced(f"new{number}", colour, 1_000 + number)])
        assert near(engine, f"new{number}") == [colour] * EACH


def test_words_find_pictures_that_have_none(engine: InlineEngine) -> None:
    for number, colour in enumerate(COLOURS):
        engine.process([announced(f"new{number}", colour, 1_000 + number)])
    for number, colour in enumerate(COLOURS):
        user = f"u{number}"
        asked = record(Topic.QUERIES, f"q{number}", user_id=user, text=WORDS[colour])
        wants = record(Topic.REQUESTS, f"r{number}", user_id=user, request_id=f"r{number}", k=20)
        lists = [one for part in (asked, wants) for one in engine.process([part]).lists]
        found = [entry.item_id for entry in lists[-1].items]
        assert f"new{number}" in found[: EACH + 1]
        [entry] = [one for one in lists[-1].items if one.item_id == f"new{number}"]
        assert entry.title is None


def test_the_same_log_gives_the_same_vectors_to_the_bit(
    engine: InlineEngine, tmp_path: Path
) -> None:
    model = PictureModel(tmp_path / "resnet", "resnet", "cpu")
    one = model.encode([painted("red", 5)])
    np.testing.assert_array_equal(one, model.encode([painted("blue", 1), painted("red", 5)])[1:])
    first = engine.catalogue.vector("red5")
    engine.process([announced("red5", "red", 5, title=WORDS["red"])])
    np.testing.assert_array_equal(first, engine.catalogue.vector("red5"))
