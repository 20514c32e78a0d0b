"""`upwell pictures fit`, whole: a log's items in; what their pictures and words have in common, as
a map in a file, and how well words find pictures that it had not seen.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from encoders import in_bulk, kept_folder, load_encoder
from encoders.pictures import load_pictures
from encoders.pictures.fitting import fitted
from encoders.pictures.placing import write_map
from stream.chain.catalogue import changed, item_text, vectors_of
from stream.chain.validate import decode
from stream.replay.log import BadLine, LogRecord, read_log
from upwell.errors import EncoderError
from upwell.events import Item
from upwell.ports import Pictures
from upwell.settings import Settings
from upwell.values import CatalogueItem, Vector

__all__ = ["PictureFit", "fit_pictures", "illustrated"]

AT_ONCE = 64
TOLD = 16
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class PictureFit:
    """items: with a picture and words. missed: pictures that could not be had, by reason. pairs: so
    many were fitted. by_words: with words in the picture
    model's space. strength: of the ridge. held_out: pairs that were not, when `found` was
    measured: the share of texts whose picture is among the ten nearest; by chance `chance`.
    """

    model: str
    encoder: str
    file: str
    items: int
    missed: Mapping[str, int]
    pairs: int
    by_words: bool
    strength: float
    held_out: int
    found: float
    chance: float
    wall_s: float


def fit_pictures(log: Path, out: Path, settings: Settings, now_ms: int, say: Say) -> PictureFit:
    """Raises `LogError`, `EncoderError`."""
    began = time.perf_counter()
    if settings.pictures.model is None:
        raise EncoderError("set UPWELL_IMAGE_ENCODER to the model that reads pictures")
    texts, images = illustrated(read_log(log), now_ms)
    say(f"{len(texts):,} items have a picture and words")
    own, kept = settings.encoder, kept_folder(settings.encoder.vectors)
    with closing(load_encoder(own.model, device=own.device, engine=own.engine)) as encoder:
        reads, dimension = vectors_of(encoder.revision), encoder.dimension
        unmapped = replace(settings.pictures, map=None)
        reader = load_pictures(unmapped, own, dimension, {reads}, kept)
        assert reader is not None  # a model is set
        with closing(reader):
            rows, seen, missed = _looked(images, reader, say)
            had = [texts[row] for row in rows]
            said = in_bulk(encoder).encode(had)
            fit = fitted(seen, said, reader.words(had) if had else None)
    write_map(out, replace(fit.into_texts, model=reader.model, encoder=reads))
    return PictureFit(
        model=reader.model,
        encoder=encoder.revision,
        file=str(out),
        items=len(texts),
        missed=missed,
        pairs=fit.pairs,
        by_words=fit.by_words,
        strength=fit.strength,
        held_out=fit.held_out,
        found=round(fit.found, 4),
        chance=round(fit.chance, 4),
        wall_s=round(time.perf_counter() - began, 1),
    )


def illustrated(lines: Iterable[LogRecord | BadLine], now_ms: int) -> tuple[list[str], list[str]]:
    """Of each item that has both, as its last announcement leaves it: its text, its picture."""
    items: dict[str, CatalogueItem] = {}
    images: dict[str, str | None] = {}
    for line in lines:
        if isinstance(line, BadLine):
            continue
        event = decode(line.topic, 0, line.line, line.value, now_ms)
        if not isinstance(event, Item):
            continue
        after = changed(items.get(event.item_id), event, event.ts, untitled=True)
        if after is not None:
            items[event.item_id] = after
            if event.image is not None or after.image is None:
                images[event.item_id] = event.image
    both = [(item_text(one), images.get(item_id)) for item_id, one in items.items()]
    found = [(text, image) for text, image in both if text and image is not None]
    return [text for text, _ in found], [image for _, image in found]


def _looked(
    images: list[str], pictures: Pictures, say: Say
) -> tuple[list[int], Vector, dict[str, int]]:
    """Rows of the pictures that were had, and their vectors; the others by reason."""
    rows: list[int] = []
    vectors: list[Vector] = []
    missed: Counter[str] = Counter()
    for start in range(0, len(images), AT_ONCE):
        for row, one in enumerate(pictures.look(images[start : start + AT_ONCE]), start):
            if one.vector is None:
                missed[one.reason] += 1
            else:
                rows.append(row)
                vectors.append(one.vector)
        if start // AT_ONCE % TOLD == TOLD - 1:
            say(f"{start + AT_ONCE:,} of {len(images):,} pictures")
    return rows, np.stack(vectors) if vectors else np.zeros((0, 1), np.float32), dict(missed)
