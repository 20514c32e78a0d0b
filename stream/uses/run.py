"""Starts the process of a use, from the settings, until it is told to end."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

from encoders import load_encoder
from learner.release.folder import open_folder
from stream.broker.connect import client_options, pseudonym_key
from stream.broker.quiet import quieten
from stream.broker.topics import ensure_topics
from stream.chain.privacy import Pseudonymizer
from stream.metrics.endpoint import USE_PLACES, endpoint
from stream.uses.desk import SupportDesk
from stream.uses.loop import UseLoop
from stream.uses.options import UseOptions
from stream.uses.port import Use
from stream.uses.topics import use_topics
from stream.uses.watch import OpinionWatch, watch_options
from upwell.errors import ModelError
from upwell.settings import Settings
from upwell.system.clock import now_ms
from upwell.system.lock import try_lock
from upwell.system.threads import end_with_any_thread

__all__ = ["USES", "run_use", "use_folder"]

USES: Mapping[str, Callable[[Settings, int], Use]] = {
    "desk": lambda settings, dimension: SupportDesk(dimension, settings.uses.desk_target),
    "watch": lambda settings, dimension: OpinionWatch(dimension, watch_options(settings.uses)),
}
"""By name: what makes it, of the settings and the length of vectors."""


def use_folder(settings: Settings, name: str) -> Path:
    """Where its checkpoints are."""
    return settings.data / "uses" / name


def run_use(settings: Settings, name: str) -> None:
    """Run until SIGTERM or Ctrl-C. One process of a use runs for a prefix: a later one shuts the
    earlier one out.
    """
    end_with_any_thread()
    kafka = settings.kafka
    home = use_folder(settings, name)
    home.mkdir(parents=True, exist_ok=True)
    if try_lock(home / "owner.lock") is None:
        raise ModelError(f"another process runs {name} on {home}: one of it runs; stop the other")
    with (
        closing(
            load_encoder(
                settings.encoder.model,
                device=settings.encoder.device,
                engine=settings.encoder.engine,
                threads=settings.encoder.threads,
            )
        ) as encoder,
        endpoint(settings.metrics, USE_PLACES[name]) as show,
    ):
        use = USES[name](settings, encoder.dimension)
        client = client_options(kafka)
        ensure_topics(kafka.prefix, kafka.partitions, client)
        ensure_topics(kafka.prefix, kafka.partitions, client, use_topics(use))
        options = UseOptions(
            prefix=kafka.prefix,
            folder=open_folder(str(home)),
            names=Pseudonymizer(pseudonym_key(settings)),
            encoder=encoder,
            show=show,
            client=client,
        )
        loop = UseLoop(use, options, now_ms)
        signal.signal(signal.SIGTERM, loop.stop)
        signal.signal(signal.SIGINT, loop.stop)
        quieten()
        loop.run()
