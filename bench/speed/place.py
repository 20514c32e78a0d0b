"""Where the benches of speed run: a broker and a folder of their own, a Qdrant server by its url;
and what is sent to topics and read from them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from qdrant_client import QdrantClient
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from infra.kafka import KafkaBroker
from stream.broker.feeds import Broadcast
from stream.chain.records import BroadcastRecord
from stream.replay.log import LogRecord
from stream.replay.player import Pace, Player
from upwell.errors import UpwellError
from upwell.events import Topic

__all__ = ["Lists", "Place", "benched", "placed", "send"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where both run. environ: settings of Upwell beside those of this process."""

    broker: str
    qdrant: str
    folder: Path
    environ: dict[str, str] = field(default_factory=dict)


class Lists:
    """What comes in on a topic of one side from the start on: its lists, or its catalogue."""

    def __init__(self, prefix: str, client: dict[str, Any], topic: Topic) -> None:
        self._feed = Broadcast(prefix + topic, client)
        self.records: list[BroadcastRecord] = []

    def start(self) -> None:
        self._feed.start(last=0)

    def stop(self) -> None:
        self._feed.stop()

    def drain(self) -> int:
        """How many there are by now."""
        self.records.extend(self._feed.drain())
        return len(self.records)


def send(client: Mapping[str, Any], prefix: str, records: Sequence[LogRecord]) -> float:
    """As fast as the broker takes them; when the first was about to be sent, UTC seconds."""

    def on_bad(line: object) -> None:
        raise UpwellError(f"a line is no record: {line}")

    started = time.time()
    with Player(client, prefix, on_bad, lambda: None) as player:
        player.play(records, Pace())
    return started


@contextmanager
def placed(qdrant: str, environ: dict[str, str]) -> Iterator[Place]:
    """A broker of its own in a folder that goes at the end."""
    with (
        TemporaryDirectory(prefix="upwell-bench-") as folder,
        KafkaBroker(Path(folder) / "kafka") as broker,
    ):
        yield Place(broker.address, qdrant, Path(folder), environ)


@contextmanager
def benched(qdrant: str | None, environ: dict[str, str]) -> Iterator[Place]:
    """As `placed`; exits where no Qdrant server is named or answers."""
    if not qdrant:
        raise SystemExit(
            "the naive loop needs a real Qdrant server: start one (docker run -p 6333:6333 "
            "qdrant/qdrant) and name its url by --qdrant or UPWELL_TEST_QDRANT_URL"
        )
    try:
        QdrantClient(url=qdrant).get_collections()
    except (ResponseHandlingException, UnexpectedResponse) as exc:
        raise SystemExit(f"no Qdrant server answers at {qdrant}: {exc}") from exc
    with placed(qdrant, environ) as place:
        yield place
