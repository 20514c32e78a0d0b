"""Every setting of Upwell: its default, what is right for it, what it does and who sets it. Those
of the learner stand in `upwell.settings.learner`, those of the gateway in `.gateway`, of what
others see in `.face`, of pictures in `.pictures`, of events in `.stream`.

They are values: where they are read from is `upwell.settings`, how they are shown
`upwell.settings.table` (docs/settings.md). Secrets never print.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from upwell.secret import Secret
from upwell.settings.face import (
    MetricsSettings,
    ReasonsSettings,
    TracingSettings,
    TrackingSettings,
)
from upwell.settings.gateway import GatewaySettings
from upwell.settings.learner import LearnerSettings
from upwell.settings.pictures import PictureSettings
from upwell.settings.private import PrivateSettings
from upwell.settings.stream import StreamSettings
from upwell.settings.uses import UseSettings
from upwell.settings.values import setting

__all__ = [
    "EncoderSettings",
    "KafkaSettings",
    "PrivacySettings",
    "Settings",
    "StoreSettings",
]


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """How Kafka is found, and who lets us in."""

    address: str | None = setting(
        None,
        "the brokers, several with commas; unset, `upwell run` starts one on this machine",
        "operator",
        "host:port",
        variable="KAFKA",
    )
    prefix: str = setting(
        "upwell.", "stands before the name of each topic and of the group", "operator"
    )
    partitions: int = setting(
        4,
        "in each topic that is made, and so the most serve workers that share the work",
        "operator",
        "partitions",
        above=1,
        below=1_000,
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = setting(
        "PLAINTEXT", "how the brokers' listener is spoken to", "operator"
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = setting(
        "PLAIN", "how the password is proven", "operator"
    )
    sasl_username: str | None = setting(None, "whom the brokers let in", "operator")
    sasl_password: Secret | None = setting(None, "the password of that user", "operator")
    ssl_cafile: str | None = setting(
        None,
        "the authorities that may sign the brokers' certificates; unset, those of this machine",
        "operator",
        "file in PEM",
    )
    wait: float = setting(
        10.0,
        "that whoever connects waits for brokers that do not answer yet",
        "operator",
        "seconds",
        variable="KAFKA_WAIT",
        above=0.05,
        below=600,
    )


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Where users and items are kept."""

    kind: Literal["memory", "edge", "server"] = setting(
        "edge",
        "Qdrant in this process, a Qdrant server, or memory that forgets all at the end",
        "operator",
        variable="STORE",
    )
    url: str | None = setting(
        None,
        "address of the Qdrant server; https goes over TLS",
        "operator",
        "URL",
        variable="QDRANT_URL",
    )
    api_key: Secret | None = setting(
        None, "what the Qdrant server lets us in by", "operator", variable="QDRANT_API_KEY"
    )
    cafile: str | None = setting(
        None,
        "the private authority that signed the Qdrant server's certificate",
        "operator",
        "file in PEM",
        variable="QDRANT_CAFILE",
    )
    grpc_port: int = setting(
        6334,
        "gRPC of the Qdrant server, on the URL's host",
        "operator",
        "port",
        variable="QDRANT_GRPC_PORT",
        above=1,
        below=65_535,
    )


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """The language model that reads texts."""

    model: str = setting(
        "all-MiniLM-L6-v2",
        "name or folder of the language model; all workers of a prefix have the same one",
        "operator",
        variable="ENCODER",
    )
    by: Literal["serve", "encode"] = setting(
        "serve",
        "who encodes the texts of items, reviews and searches: each serve worker itself, or "
        "workers apart, `upwell run --roles encode`, which serve waits for (docs/scaling.md)",
        "operator",
        variable="ENCODED_BY",
    )
    device: Literal["auto", "cpu", "cuda"] = setting(
        "auto", "where the language model computes", "operator"
    )
    engine: Literal["auto", "torch", "openvino", "openvino-int8"] = setting(
        "auto",
        "what computes it; auto is OpenVINO on a CPU, where `pip install upwell[openvino]` put it "
        "and its vectors are torch's, else torch; openvino-int8 has weights of 8 bits, which auto "
        "takes on a CPU with VNNI and without bf16",
        "operator",
        variable="ENCODER_ENGINE",
    )
    cache_entries: int = setting(
        100_000, "whose vectors are kept in memory", "operator", "texts", above=0
    )
    threads: int = setting(
        0,
        "that encode, each for itself; 0 is one for each core of this process, at most 4",
        "operator",
        "threads",
        variable="ENCODER_THREADS",
        above=0,
        below=64,
    )
    vectors: str | None = setting(
        None,
        "where vectors of the catalogue's texts are kept on disk, so that no later start encodes "
        "them again; unset, `vectors` in the cache of this machine's user (`UPWELL_CACHE`, else "
        "~/.cache/upwell)",
        "operator",
        "folder, or off",
    )
    vectors_mb: int = setting(
        1_000, "of them are kept on disk, the latest", "operator", "MB", above=1
    )


@dataclass(frozen=True, slots=True)
class PrivacySettings:
    """What makes pseudonyms of users' ids."""

    key: Secret | None = setting(
        None,
        "what pseudonyms are made with, the same for all workers of a prefix; unset, one is made "
        "and kept in the data folder",
        "operator",
        hex_bytes=32,
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """All of them, by group."""

    kafka: KafkaSettings = KafkaSettings()
    store: StoreSettings = StoreSettings()
    encoder: EncoderSettings = EncoderSettings()
    pictures: PictureSettings = PictureSettings()
    privacy: PrivacySettings = PrivacySettings()
    private: PrivateSettings = PrivateSettings()
    stream: StreamSettings = StreamSettings()
    learner: LearnerSettings = LearnerSettings()
    gateway: GatewaySettings = GatewaySettings()
    metrics: MetricsSettings = MetricsSettings()
    tracing: TracingSettings = TracingSettings()
    tracking: TrackingSettings = TrackingSettings()
    reasons: ReasonsSettings = ReasonsSettings()
    uses: UseSettings = UseSettings()
    data: Path = setting(
        Path(".upwell"), "everything that is kept on this machine", "operator", "folder"
    )
    policy: Path | None = setting(
        None,
        "lists of terms by which items are blocked and words of users left unread "
        "(docs/policy.md); unset, there are none",
        "operator",
        "file in TOML",
    )
    models: str | None = setting(
        None,
        "where checkpoints of everything learned are kept, one place for all machines of a prefix "
        "and for no other; unset, `models` in the data folder",
        "operator",
        "folder, or an address of fsspec (s3://bucket/models)",
    )
    snapshot_folder: Path | None = setting(
        None, "below which `upwell run` keeps snapshots by the clock", "operator", "folder"
    )
    snapshot_every: float = setting(
        24.0, "between two of them; 0 is off", "operator", "hours", above=0.0
    )
    snapshot_keep: int = setting(
        7, "of them that stay, the newest", "operator", "snapshots", above=1
    )
