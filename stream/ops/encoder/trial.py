"""A candidate beside the encoder in force: all texts of the catalogue encoded while the engine
runs, its vectors turned to where the others stand, both compared on the stream.

Vectors are kept on disk by what they say and by whom, so a trial that was killed goes on where it
was, and an engine on this machine that changes over encodes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from encoders import in_bulk, kept_folder, load_encoder
from encoders.adapt.alignment import Alignment, fitted, likeness, read_alignment, write_alignment
from encoders.adapt.write import trained_until
from encoders.folder import find_model
from encoders.load import model_revision
from stream.broker.encoders import Named
from stream.broker.encoders.topic import read_lineage
from stream.broker.topics import no_broker
from stream.chain.catalogue import item_text, vectors_of
from stream.chain.effects import Erasure
from stream.chain.pictures import has_picture
from stream.chain.wire import decode_examples
from stream.learn.topics import examples_consumer
from stream.replay.adaptation.comparison import Comparison, Found, Opinion
from stream.replay.adaptation.topics import newest_items
from stream.serve.encoders.switch import encoder_in_force, named
from upwell.client import client_options
from upwell.errors import SettingsError
from upwell.events import Topic
from upwell.settings import EncoderSettings, Settings
from upwell.system.offsets import ends_of
from upwell.values import CatalogueItem, Vector

__all__ = ["LEAST_LIKENESS", "Ready", "compare", "make_ready"]

LEAST_LIKENESS = 0.9
"""Of the two sides' vectors: where they stand further apart, what users want and what was learned
would point elsewhere.
"""
AFRESH = "start afresh with another UPWELL_PREFIX and UPWELL_DATA (docs/encoder.md)"
AT_ONCE = 256
TOLD = 40
POLL_MS = 500
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, eq=False)
class Ready:
    """A candidate that may come into force. before: what is. item_ids: of the catalogue; old, new:
    (n, d) their vectors. likeness: of these (`encoders.adapt.alignment`). since: UTC ms; what
    happened after that it has not been trained on.
    """

    encoder: Named
    before: Named
    item_ids: Sequence[str]
    old: Vector
    new: Vector
    likeness: float
    since: int


def make_ready(settings: Settings, model: str, say: Say) -> Ready:
    """Raises `SettingsError` where it cannot come into force, `EncoderError`, `BrokerError`."""
    lineage = read_lineage(client_options(settings.kafka), settings.kafka.prefix)
    before = encoder_in_force(settings.encoder, lineage)
    own = vectors_of(model_revision(model))
    if own == before.vectors:
        raise SettingsError(f"{model} is in force already")
    items = _catalogue(settings, before)
    old = np.stack([one.vector for one in items])
    folder = find_model(model)
    raw = _encoded(settings.encoder, folder, [item_text(one) for one in items], say)
    if raw.shape[1] != old.shape[1]:
        raise SettingsError(
            f"{model} makes vectors of {raw.shape[1]} numbers, the catalogue has {old.shape[1]}: "
            f"{AFRESH}"
        )
    stands = own in lineage.known  # as it is
    alignment = read_alignment(folder) or (None if stands else fitted(raw, old))
    new = raw if alignment is None else alignment.turned(raw)
    alike = likeness(old, new)
    if alike < LEAST_LIKENESS:
        raise SettingsError(
            f"{model} reads too differently: turned as well as can be, its vectors are "
            f"{alike:.3f} like those in force, {LEAST_LIKENESS} is asked; {AFRESH}"
        )
    if alignment is not None:
        _keep(alignment, model, folder)
    ids = [one.item_id for one in items]
    return Ready(named(model), before, ids, old, new, alike, trained_until(folder))


def _keep(alignment: Alignment, model: str, folder: Path) -> None:
    """Beside the weights, once."""
    if read_alignment(folder) is not None:
        return
    if not Path(model).expanduser().is_dir():
        raise SettingsError(
            f"{model} is a name: a file must be written beside its weights, so copy {folder} to a "
            "folder of your own and name that"
        )
    write_alignment(folder, alignment)


def compare(settings: Settings, ready: Ready, follow: bool, say: Say) -> Found:
    """On what `examples` holds, as far as it happened after the candidate's training, until that
    says something; follow: and on what comes. Raises `BrokerError`.
    """
    comparison = Comparison(ready.item_ids, ready.old, ready.new)
    client, told = client_options(settings.kafka), 0
    try:
        with examples_consumer(client, settings.kafka.prefix, {}) as consumer:
            ends = ends_of(consumer, list(consumer.assignment()))
            while comparison.opinion is Opinion.OPEN and (follow or _behind(consumer, ends)):
                for records in consumer.poll(timeout_ms=POLL_MS).values():
                    for record in records:
                        found = decode_examples(record.value)
                        if not isinstance(found, Erasure):
                            comparison.see(one for one in found if one.event.ts > ready.since)
                if (targets := comparison.found.targets) >= told + 1_000:
                    told = targets
                    say(f"{targets:,} targets: {comparison.found.mrr}")
    except KafkaError as exc:
        raise no_broker(client, exc) from exc
    return comparison.found


def _behind(consumer: KafkaConsumer, ends: dict[TopicPartition, int]) -> bool:
    return any(consumer.position(partition) < end for partition, end in ends.items())


def _catalogue(settings: Settings, before: Named) -> list[CatalogueItem]:
    """The newest entry of each item. Raises `SettingsError` where there is none, or an earlier
    change is not done yet.
    """
    found, topic = newest_items(settings.kafka), settings.kafka.prefix + Topic.CATALOGUE
    if not found:
        raise SettingsError(f"topic {topic} has no items yet: there is nothing to compare with")
    others = sum(vectors_of(one.revision) != before.vectors for one in found.values())
    if others:
        raise SettingsError(
            f"{others:,} of {len(found):,} items have vectors of another encoder than the one in "
            f"force ({before.model}): an engine must run until they are made anew"
        )
    plain = [one for one in found.values() if not has_picture(one)]  # those say no more than words
    if not plain:
        raise SettingsError(f"topic {topic} has no item without a picture: nothing to compare with")
    return plain


def _encoded(settings: EncoderSettings, folder: Path, texts: Sequence[str], say: Say) -> Vector:
    """(n, d) as the model makes them, kept on disk as the settings say."""
    encoder = load_encoder(
        str(folder),
        device=settings.device,
        engine=settings.engine,
        cache_entries=0,
        threads=settings.threads,
        vectors=kept_folder(settings.vectors),
        vectors_bytes=settings.vectors_mb * 1_000_000,
        aligned=False,
    )
    with closing(encoder):
        bulk, parts = in_bulk(encoder), list[Vector]()
        for start in range(0, len(texts), AT_ONCE):
            parts.append(bulk.encode(texts[start : start + AT_ONCE]))
            if len(parts) % TOLD == 0:
                say(f"{start + AT_ONCE:,} of {len(texts):,} texts encoded")
    return np.concatenate(parts)
