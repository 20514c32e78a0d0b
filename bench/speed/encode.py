"""Texts and tokens a second through Upwell's encoder, beside sentence-transformers' own encode() of
the same model on the same texts.

    python bench/speed/encode.py LOG [--texts N] [--items] [--repeats N] [--threads N]
    [--peer-threads N] [--device auto|cpu|cuda]

The texts are those that the stream would encode: announced items (title, categories, text), reviews
and queries of the log, each once, in an order drawn with the seed. Both run in this process in
turn, who goes first changes; medians count. The cache is off, it would win by itself. Prints a
table, then one JSON object as the last line.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import torch
from rich.console import Console
from rich.table import Table
from transformers import AutoTokenizer

from bench.hardware import hardware
from encoders import load_encoder
from encoders.device import choose_placement, choose_threads
from encoders.folder import find_model
from encoders.padding import MAX_TOKENS
from stream.chain.catalogue import item_text
from stream.chain.scrub import scrub
from stream.chain.validate import decode
from stream.replay.log import BadLine, read_log
from upwell.errors import UpwellError
from upwell.events import Item, Query, Review
from upwell.settings import EncoderSettings
from upwell.values import Vector

Encode = Callable[[Sequence[str]], Vector]
OURS, PEER = "upwell", "sentence-transformers"
WARM_UP_TEXTS = 64
FOREVER_MS = 1 << 53


def log_texts(path: Path, items_alone: bool) -> Iterator[str]:
    """What the stream makes of the log's announcements, reviews and queries."""
    for line in read_log(path):
        if isinstance(line, BadLine):
            continue
        event = decode(line.topic, 0, line.line, line.value, FOREVER_MS)
        if isinstance(event, Item):
            yield item_text(event)
        elif isinstance(event, Review | Query) and event.text and not items_alone:
            yield scrub(event.text)


def count_tokens(model: str, texts: Sequence[str]) -> int:
    """Tokens that the model reads of the texts, each cut at its maximum."""
    tokenizer = AutoTokenizer.from_pretrained(str(find_model(model)), local_files_only=True)
    return sum(
        map(len, tokenizer(list(texts), truncation=True, max_length=MAX_TOKENS)["input_ids"])
    )


def chosen_texts(path: Path, count: int, seed: int, items_alone: bool) -> list[str]:
    """The first `count` different texts, shuffled."""
    texts = list(islice(dict.fromkeys(log_texts(path, items_alone)), count))
    if not texts:
        raise SystemExit(f"bench/speed/encode.py: no texts in {path}")
    random.Random(seed).shuffle(texts)
    return texts


def ours(model: str, device: str, threads: int) -> tuple[Encode, str]:
    encoder = load_encoder(model, device=device, cache_entries=0, threads=threads)
    return encoder.encode, encoder.revision


def peer(model: str, device: str, threads: int) -> tuple[Encode, str]:
    """Its defaults: float32 and batches of 32, but for the progress bar. threads: of torch, while
    it encodes.
    """
    try:
        import sentence_transformers
    except ImportError:
        raise SystemExit(
            "bench/speed/encode.py: the peer is not installed: pip install sentence-transformers"
        ) from None
    folder = str(find_model(model))
    loaded = sentence_transformers.SentenceTransformer(
        folder, device=None if device == "auto" else device, local_files_only=True
    )

    def encode(texts: Sequence[str]) -> Vector:
        own = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            made = loaded.encode(list(texts), show_progress_bar=False, normalize_embeddings=True)
            return np.asarray(made, dtype=np.float32)
        finally:
            torch.set_num_threads(own)

    return encode, f"{sentence_transformers.__version__}, {loaded.dtype}".replace("torch.", "")


def interleaved(
    sides: dict[str, Encode], texts: Sequence[str], repeats: int
) -> tuple[dict[str, list[float]], dict[str, Vector]]:
    """Texts a second of each repeat, and the vectors of the last."""
    speeds: dict[str, list[float]] = {name: [] for name in sides}
    vectors: dict[str, Vector] = {}
    for encode in sides.values():
        encode(texts[:WARM_UP_TEXTS])
    for repeat in range(repeats):
        order = list(sides) if repeat % 2 == 0 else list(reversed(sides))
        for name in order:
            started = time.perf_counter()
            vectors[name] = sides[name](texts)
            speeds[name].append(len(texts) / (time.perf_counter() - started))
    return speeds, vectors


def processor() -> str:
    """Where both compute: a GPU's name goes first."""
    gpu = f"{torch.cuda.get_device_name()}; " if torch.cuda.is_available() else ""
    return f"{gpu}{hardware()}"


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    texts = chosen_texts(arguments.log, arguments.texts, arguments.seed, arguments.items)
    torch.manual_seed(arguments.seed)
    peer_threads = arguments.peer_threads or torch.get_num_threads()
    our_encode, revision = ours(arguments.model, arguments.device, arguments.threads)
    peer_encode, peer_version = peer(arguments.model, arguments.device, peer_threads)
    speeds, vectors = interleaved({OURS: our_encode, PEER: peer_encode}, texts, arguments.repeats)
    tokens = count_tokens(arguments.model, texts)
    medians = {name: statistics.median(values) for name, values in speeds.items()}
    cosines = (vectors[OURS] * vectors[PEER]).sum(axis=1)
    return {
        "log": str(arguments.log),
        "texts": len(texts),
        "characters_mean": round(statistics.mean(map(len, texts)), 1),
        "tokens_mean": round(tokens / len(texts), 1),
        "seed": arguments.seed,
        "repeats": arguments.repeats,
        "threads": choose_threads(arguments.threads, choose_placement(arguments.device).device),
        "peer_threads": peer_threads,
        "hardware": processor(),
        "model": {
            "name": OURS,
            "revision": revision,
            **_figures(speeds[OURS], tokens / len(texts)),
        },
        "peer": {
            "name": PEER,
            "version": peer_version,
            **_figures(speeds[PEER], tokens / len(texts)),
        },
        "ratio": round(medians[OURS] / medians[PEER], 2),
        "cosine_to_peer": {
            "mean": round(float(cosines.mean()), 5),
            "min": round(float(cosines.min()), 5),
        },
    }


def _figures(speeds: Sequence[float], tokens_a_text: float) -> dict[str, float]:
    median = statistics.median(speeds)
    return {
        "texts_per_s": round(median, 1),
        "tokens_per_s": round(median * tokens_a_text),
        "lowest": round(min(speeds), 1),
        "highest": round(max(speeds), 1),
    }


def show(result: dict[str, Any]) -> None:
    table = Table(
        title=f"{result['texts']} texts of {result['log']}, {result['threads']} threads and "
        f"{result['peer_threads']} of the peer's, {result['hardware']}"
    )
    for column in ("encoder", "texts/s (median)", "tokens/s", "lowest", "highest"):
        table.add_column(column)
    for side in (result["model"], result["peer"]):
        table.add_row(
            side["name"],
            *(f"{side[key]:,.0f}" for key in ("texts_per_s", "tokens_per_s", "lowest", "highest")),
        )
    Console(stderr=True).print(table, f"ratio {result['ratio']}", sep="\n")


def parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", type=Path)
    parser.add_argument("--texts", type=int, default=2_000)
    parser.add_argument("--items", action="store_true", help="announced items alone")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0, help="Upwell's; 0 as serve has them")
    parser.add_argument("--peer-threads", type=int, default=0, help="0 as torch has them")
    parser.add_argument("--model", default=EncoderSettings().model)
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--seed", type=int, default=7)
    return parser.parse_args(arguments)


def main() -> None:
    try:
        result = measure(parsed(sys.argv[1:]))
    except UpwellError as exc:
        raise SystemExit(f"bench/speed/encode.py: {exc}") from exc
    show(result)
    print(orjson.dumps(result).decode())


if __name__ == "__main__":
    main()
