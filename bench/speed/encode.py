"""Texts and tokens a second through Upwell's encoder by each engine, beside sentence-transformers'
own encode() of the same model on the same texts.

    python bench/speed/encode.py LOG [--texts N] [--long N] [--items] [--repeats N] [--threads N]
    [--peer-threads N] [--device auto|cpu|cuda] [--engines torch openvino openvino-int8]

The short texts are those that the stream would encode: announced items (title, categories, text),
reviews and queries of the log, each once, in an order drawn with the seed; the long ones are drawn.
All sides run in this process in turn, who goes first changes; medians count. The cache is off, it
would win by itself. of_roofline: the model's matrix products as a share of what torch's product of
the same precision does in the same run on as many threads. `python -m bench.compression.held avx2`
before it has all of them compute as on a processor with AVX2 alone. Prints a table, then one JSON
object as the last line.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from transformers import AutoTokenizer

from bench.hardware import hardware
from bench.results.bench_run import BenchRun
from bench.speed.slices import whole_words, words
from encoders import load_encoder
from encoders.cache import CachingEncoder
from encoders.device import Precision, choose_placement, choose_threads
from encoders.engines.padding import MAX_TOKENS, TOKEN_BUDGET
from encoders.folder import find_model
from stream.chain.catalogue import item_text
from stream.chain.scrub import scrub
from stream.chain.validate import decode
from stream.replay.log import BadLine, read_log
from upwell.errors import UpwellError
from upwell.events import Item, Query, Review
from upwell.settings import EncoderSettings
from upwell.values import Vector

Encode = Callable[[Sequence[str]], Vector]
PEER = "sentence-transformers"
LONG = (30, 120)
PRODUCTS = 100
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


def long_texts(model: str, count: int, seed: int) -> list[str]:
    """Of 30 to 120 words that are one token each."""
    known, draw = whole_words(find_model(model) / "vocab.txt"), random.Random(seed)
    return [words(known, draw.randint(*LONG), draw) for _ in range(count)]


def engines(arguments: argparse.Namespace) -> dict[str, CachingEncoder]:
    """Upwell's encoder by each engine that it has here: all that are asked for, or an error."""
    return {
        f"upwell, {engine}": load_encoder(
            arguments.model,
            device=arguments.device,
            engine=engine,
            cache_entries=0,
            threads=arguments.threads,
        )
        for engine in arguments.engines
    }


def products_a_token(model: str, tokens: float) -> float:
    """Floating-point operations of the matrix products of a token in a text of so many, two a
    multiplication: the layers' weights, and each token with each of its text.
    """
    about = json.loads((find_model(model) / "config.json").read_bytes())
    wide, inner = about["hidden_size"], about["intermediate_size"]
    weights = 4 * wide * wide + 2 * wide * inner
    return float(about["num_hidden_layers"] * (2 * weights + 4 * tokens * wide))


def roofline(model: str, precision: Precision, threads: int) -> float:
    """Operations a second of the model's widest product by torch, on as many threads as encode,
    each for itself; the best of five.
    """
    about = json.loads((find_model(model) / "config.json").read_bytes())
    dtype = getattr(torch, precision)
    left = torch.randn(TOKEN_BUDGET, about["hidden_size"], dtype=dtype)
    right = torch.randn(about["hidden_size"], about["intermediate_size"], dtype=dtype)

    def multiply(_: int) -> None:
        for _ in range(PRODUCTS):
            left @ right

    operations = 2.0 * left.shape[0] * right.numel() * PRODUCTS * threads
    best = 0.0
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(5):
            started = time.perf_counter()
            list(pool.map(multiply, range(threads)))
            best = max(best, operations / (time.perf_counter() - started))
    return best


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
    torch.manual_seed(arguments.seed)
    placement = choose_placement(arguments.device)
    threads = choose_threads(arguments.threads, placement.device)
    peer_threads = arguments.peer_threads or torch.get_num_threads()
    peer_encode, peer_version = peer(arguments.model, arguments.device, peer_threads)
    loaded = engines(arguments)
    on_cpu = placement.device == "cpu"
    ceiling = roofline(arguments.model, placement.precision, threads) if on_cpu else None
    sides = {name: encoder.encode for name, encoder in loaded.items()} | {PEER: peer_encode}
    texts = {
        "short": chosen_texts(arguments.log, arguments.texts, arguments.seed, arguments.items),
        "long": long_texts(arguments.model, arguments.long, arguments.seed),
    }
    result = {
        "log": str(arguments.log),
        "seed": arguments.seed,
        "repeats": arguments.repeats,
        "threads": threads,
        "peer_threads": peer_threads,
        "peer": peer_version,
        "hardware": processor(),
        "revisions": {name: encoder.revision for name, encoder in loaded.items()},
        "roofline_gflops": None if ceiling is None else round(ceiling / 1e9, 1),
        **{name: compared(arguments, some, sides, ceiling) for name, some in texts.items()},
    }
    for encoder in loaded.values():
        encoder.close()
    return result


def compared(
    arguments: argparse.Namespace,
    texts: Sequence[str],
    sides: dict[str, Encode],
    ceiling: float | None,
) -> dict[str, Any]:
    """One kind of texts through all sides; ratios and cosines are to the peer."""
    speeds, vectors = interleaved(sides, texts, arguments.repeats)
    tokens = count_tokens(arguments.model, texts) / len(texts)
    figures: dict[str, Any] = {}
    for name, values in speeds.items():
        median = statistics.median(values)
        cosines = (vectors[name] * vectors[PEER]).sum(axis=1)
        work = median * tokens * products_a_token(arguments.model, tokens)
        figures[name] = {
            "texts_per_s": round(median, 1),
            "tokens_per_s": round(median * tokens),
            "lowest": round(min(values), 1),
            "highest": round(max(values), 1),
            "ratio": round(median / statistics.median(speeds[PEER]), 2),
            "cosine_min": round(float(cosines.min()), 5),
            "of_roofline": None if ceiling is None or name == PEER else round(work / ceiling, 3),
        }
    return {"texts": len(texts), "tokens_mean": round(tokens, 1), "sides": figures}


def show(result: dict[str, Any]) -> None:
    table = Table(
        title=f"{result['threads']} threads and {result['peer_threads']} of the peer's, "
        f"{result['hardware']}; products by torch: {result['roofline_gflops']} GFLOP/s"
    )
    columns = ("texts_per_s", "lowest", "highest", "ratio", "cosine_min", "of_roofline")
    for column in ("texts", "encoder", *columns):
        table.add_column(column)
    for kind in ("short", "long"):
        about = f"{result[kind]['texts']} of {result[kind]['tokens_mean']} tokens"
        for name, figures in result[kind]["sides"].items():
            table.add_row(about, name, *(str(figures[column]) for column in columns))
    Console(stderr=True).print(table)


def parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", type=Path)
    parser.add_argument("--texts", type=int, default=1_000)
    parser.add_argument("--long", type=int, default=200)
    parser.add_argument("--engines", nargs="+", default=["openvino", "torch"])
    parser.add_argument("--items", action="store_true", help="announced items alone")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0, help="Upwell's; 0 as serve has them")
    parser.add_argument("--peer-threads", type=int, default=0, help="0 as torch has them")
    parser.add_argument("--model", default=EncoderSettings().model)
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--seed", type=int, default=7)
    return parser.parse_args(arguments)


def main() -> None:
    arguments = parsed(sys.argv[1:])
    tracked = BenchRun(__file__, arguments, arguments.log)
    try:
        result = measure(arguments)
    except UpwellError as exc:
        raise SystemExit(f"bench/speed/encode.py: {exc}") from exc
    show(result)
    tracked.tell(result)


if __name__ == "__main__":
    main()
