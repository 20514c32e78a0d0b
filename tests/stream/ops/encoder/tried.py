"""Topics as an engine with a tiny encoder leaves them, and candidates beside that encoder."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
from kafka import KafkaProducer
from safetensors.numpy import load_file, save_file

from encoders import load_encoder
from stream.broker.topics import ensure_topics
from stream.chain.catalogue import encoded
from stream.chain.effects import Erasure
from stream.chain.wire import decode_item, encode_erasure, encode_examples, encode_item
from tests.encoders.tiny import tiny_model
from tests.stream.replay.adaptation.logs import record
from upwell.client import client_options
from upwell.events import Topic
from upwell.settings import EncoderSettings, KafkaSettings, Settings
from upwell.values import CatalogueItem, Example, Interaction, Vector

__all__ = ["COUNT", "adapted", "announce", "clicks", "entries", "liked", "settings_on"]

COUNT = 40
USERS = 30
NONE: Vector = np.zeros(0, np.float32)


def settings_on(kafka: str, prefix: str, folder: Path) -> Settings:
    """With a model `tiny` in `folder`, and topics of one partition."""
    made = Settings(
        kafka=KafkaSettings(address=kafka, prefix=prefix, partitions=1),
        encoder=EncoderSettings(
            model=str(tiny_model(folder / "tiny")),
            device="cpu",
            engine="torch",
            vectors=str(folder / "vectors"),
        ),
        data=folder / "data",
    )
    ensure_topics(prefix, 1, client_options(made.kafka))
    return made


def adapted(source: Path, folder: Path, noise: float = 0.02) -> Path:
    """The same model with weights a little elsewhere."""
    shutil.copytree(source, folder)
    rng = np.random.default_rng(3)
    weights = {
        name: one + (noise * one.std() * rng.standard_normal(one.shape)).astype(one.dtype)
        for name, one in load_file(source / "model.safetensors").items()
    }
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def entries(settings: Settings, model: str | None = None) -> list[CatalogueItem]:
    """Items as a serve worker with this model makes them."""
    bare = [
        CatalogueItem(
            item_id=f"i{row}", ts=row, title=f"title {row} of {row % 7}", vector=NONE, revision=""
        )
        for row in range(COUNT)
    ]
    loaded = load_encoder(model or settings.encoder.model, device="cpu", engine="torch")
    with closing(loaded) as encoder:
        return encoded(bare, [None] * COUNT, encoder)


def announce(settings: Settings, items: Sequence[CatalogueItem]) -> None:
    """On `catalogue`, an older entry of the first one before."""
    _send(settings, Topic.CATALOGUE, [encode_item(replace(items[0], title="older"))])
    _send(settings, Topic.CATALOGUE, [encode_item(one) for one in items])


def liked(settings: Settings, pairs: Sequence[tuple[int, int]], ts: int = 1_000) -> None:
    """Users who liked the first row of each pair like the second one next. Before, an erasure."""
    examples = [
        Example(
            source="clicks-0",
            offset=number,
            user="u",
            event=Interaction(f"e{number}", ts + number, f"i{row}", "like"),
            history=(Interaction(f"h{number}", ts, f"i{past}", "like"),),
            intent=None,
            user_events=1,
            tested=False,
        )
        for number, (past, row) in enumerate(pairs)
    ]
    erasure = encode_erasure(Erasure("u", "controls-0", 1, 0))
    _send(settings, Topic.EXAMPLES, [erasure, encode_examples(examples)])


def clicks(on: Settings) -> None:
    """Each user likes four items whose titles end alike."""
    with KafkaProducer(acks="all", **client_options(on.kafka)) as producer:
        for number in range(4 * USERS):
            user, turn = number % USERS, number // USERS
            item = user % 7 + 7 * ((user + turn) % (COUNT // 7))
            one = record("clicks", number, user_id=f"u{user}", item_id=f"i{item}", action="like")
            producer.send(on.kafka.prefix + one.topic, value=one.value)
        producer.flush()


def _send(settings: Settings, topic: Topic, values: Sequence[bytes]) -> None:
    with KafkaProducer(acks="all", **client_options(settings.kafka)) as producer:
        for value in values:
            key = decode_item(value).item_id.encode() if topic is Topic.CATALOGUE else None
            name = settings.kafka.prefix + topic
            producer.send(name, key=key, value=value, partition=0).get(timeout=30)
