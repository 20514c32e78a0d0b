"""Who computes a serve worker's vectors, and what of its waiting is told."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from encoders.hashing import HashingEncoder
from encoders.load import model_revision
from stream.chain.catalogue import vectors_of
from stream.encode.load import ApartEncoder, load_by, told, waits
from tests.encoders.tiny import tiny_model
from tests.stream.encode.posts import HeldPost, asking
from upwell.errors import EncoderError
from upwell.settings import EncoderSettings, KafkaSettings, Settings


def test_the_settings_decide_who_encodes(kafka: str, prefix: str, tmp_path: Path) -> None:
    model = str(tiny_model(tmp_path / "tiny"))
    own = EncoderSettings(model=model, device="cpu", engine="torch", vectors="off")
    settings = Settings(encoder=own, kafka=KafkaSettings(address=kafka, prefix=prefix))
    with closing(load_by(settings, model)) as here:
        assert not isinstance(here, ApartEncoder)
        assert here.encode(["a robot"]).shape == (1, here.dimension)
    asks = replace(settings, encoder=replace(own, by="encode"))
    with closing(load_by(asks, model)) as apart:
        assert isinstance(apart, ApartEncoder)
        assert apart.dimension == here.dimension
        assert vectors_of(apart.revision) == vectors_of(here.revision)
        assert apart.revision == model_revision(model) + "apart"


def test_what_asks_loads_neither_torch_nor_transformers() -> None:
    code = (
        "import sys, stream.encode.load as load, encoders.load as models\n"
        "models.model_revision('all-MiniLM-L6-v2'); models.model_dimension('all-MiniLM-L6-v2')\n"
        "print({'torch', 'transformers', 'openvino'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_thread_that_waits_for_encode_workers_does_not_stand_still() -> None:
    now = [100.0]
    asks, post = asking(lambda: now[0]), HeldPost()
    asks.connect(post)
    encoder = ApartEncoder(asks, 10)
    ages = {"users": 45.5, "items": 0.2}
    assert told(ages, encoder) == {"beats": {**ages, "encoder": 0.0}, "encode_waits": {}}
    with ThreadPoolExecutor(1) as pool, closing(encoder):
        found = pool.submit(encoder.encode, ["a"])
        while not post.sent:
            threading.Event().wait(0.001)
        now[0] += 45.0
        assert waits(encoder) == {"users": 45.0}
        assert told(ages, encoder) == {
            "beats": {"users": 0.5, "items": 0.2, "encoder": 0.0},
            "encode_waits": {"users": 45.0},
        }
        assert told({"items": 44.0}, encoder)["beats"]["items"] == 44.0, "it stands still"
        encoder.close()
        with pytest.raises(EncoderError):
            found.result(30)
    assert waits(HashingEncoder(8)) == {}


def test_a_text_that_was_answered_is_not_asked_for_again() -> None:
    asks, post = asking(), HeldPost()
    asks.connect(post)
    encoder = ApartEncoder(asks, 10)
    for lane in (encoder, encoder.in_bulk()):
        with ThreadPoolExecutor(1) as pool:
            found = pool.submit(lane.encode, ["a"])
            while not (post.sent or found.done()):
                threading.Event().wait(0.001)
            asks.take(post.answers())
            found.result(30)
    assert len(post.sent) == 1
    assert encoder.sources["encoded"] == 1
