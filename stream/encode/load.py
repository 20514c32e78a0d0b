"""The encoder of a serve worker, by who computes it: this process, or encode workers, which it asks
and whose model it does not load.
"""

from __future__ import annotations

from collections.abc import Mapping
from zlib import crc32

from encoders import busy_seconds, kept_folder, load_encoder, model_dimension
from encoders.cache import CachingEncoder
from encoders.load import model_revision
from stream.broker.topics import ensure_topics
from stream.chain.catalogue import vectors_of
from stream.encode.asking import AskingEncoder
from stream.encode.posting import KafkaPost
from stream.encode.topics import ENCODE_TOPICS
from upwell.client import client_options
from upwell.ports import Encoder
from upwell.settings import EncoderSettings, Settings

__all__ = ["ApartEncoder", "load", "load_by", "told", "waits"]


def load_by(settings: Settings, model: str) -> CachingEncoder:
    """The model as the settings say: loaded here, or asked for. Raises `EncoderError`,
    `BrokerError`.
    """
    if settings.encoder.by == "serve":
        return load(settings.encoder, model)
    kafka, client = settings.kafka, client_options(settings.kafka)
    ensure_topics(kafka.prefix, kafka.partitions, client, ENCODE_TOPICS)
    name, to = model_revision(model), crc32(settings.stream.instance.encode()) % kafka.partitions
    asking = AskingEncoder(name, vectors_of(name), model_dimension(model), to)
    asking.connect(KafkaPost(client, kafka.prefix, to, asking.take))
    return ApartEncoder(asking, settings.encoder.cache_entries)


def load(settings: EncoderSettings, model: str) -> CachingEncoder:
    """The model in this process, as the settings compute and keep. Raises `EncoderError`."""
    return load_encoder(
        model,
        device=settings.device,
        engine=settings.engine,
        cache_entries=settings.cache_entries,
        threads=settings.threads,
        vectors=kept_folder(settings.vectors),
        vectors_bytes=settings.vectors_mb * 1_000_000,
    )


class ApartEncoder(CachingEncoder):
    """An `AskingEncoder` behind the cache in memory. On disk nothing is kept here: encode workers
    do.
    """

    def __init__(self, asking: AskingEncoder, entries: int) -> None:
        super().__init__(asking, entries)
        self._asking = asking

    @property
    def waits(self) -> Mapping[str, float]:
        """Seconds that users' texts and items' have waited for encode workers, where they do."""
        names = {"texts": "users", "item_texts": "items"}
        return {names[topic]: round(one, 3) for topic, one in self._asking.waits.items()}


def waits(encoder: Encoder) -> Mapping[str, float]:
    """By chain for how many seconds it has waited for encode workers; empty where none does."""
    return encoder.waits if isinstance(encoder, ApartEncoder) else {}


def told(beats: Mapping[str, float], encoder: Encoder) -> dict[str, dict[str, float]]:
    """Of a worker's record `beats`, the encoder's among them, and `encode_waits`.

    A thread that waits for encode workers does not stand still, and starting it again would not
    help: its beat is as old as it was when it began to wait.
    """
    waited = waits(encoder)
    ages = {name: max(0.0, round(age - waited.get(name, 0.0), 3)) for name, age in beats.items()}
    return {
        "beats": {**ages, "encoder": round(busy_seconds(encoder), 3)},
        "encode_waits": dict(waited),
    }
