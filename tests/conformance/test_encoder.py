"""What `upwell.ports.Encoder` promises, for every encoder there is: the real language model, and
what stands around it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from encoders import load_encoder
from encoders.cache import CachingEncoder
from encoders.device import choose_placement
from encoders.engines.compiled import compiled_encoder
from encoders.folder import DEFAULT_MODEL, find_model
from encoders.hashing import HashingEncoder
from encoders.transformer import TransformerEncoder
from encoders.worker import EncoderWorker
from tests.encoders.tiny import openvino_computes
from tests.stream.encode.posts import MemoryPost, asking
from upwell.ports import Encoder
from upwell.values import Vector

THREADS = 4
ODD = {
    "empty": "",
    "whitespace": " \t\r\n\u00a0\u3000",
    "very long": "the quick brown fox " * 5_000,
    "one endless word": "x" * 100_000,
    "Cyrillic": "Война и мир",
    "Chinese": "红楼梦",
    "Arabic": "ألف ليلة وليلة",
    "Hindi": "महाभारत",
    "combining marks": "e\u0301\u0323" * 20,
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈🎬",
    "NUL": "before\0after",
    "NUL alone": "\0",
    "control characters": "".join(map(chr, range(32))),
    "lone surrogate": "\ud800",
    "surrogates in words": "a \udfff film \ud83d",
    "special tokens": "[CLS] [SEP] [PAD] [MASK] [UNK]",
    "byte-order mark": "\ufeffToy Story",
}
PLAIN = [
    "Toy Story (1995)",
    "Heat: a heist film",
    "a film about toys that come alive",
    "no",
    "Jumanji",
    "Ὀδύσσεια",
    "A" * 300,
]


def hashing(stack: ExitStack) -> Encoder:
    return HashingEncoder()


def transformer(stack: ExitStack) -> Encoder:
    return TransformerEncoder(find_model(DEFAULT_MODEL), DEFAULT_MODEL, choose_placement("auto"))


def compiled(stack: ExitStack) -> Encoder:
    return compiled_encoder(find_model(DEFAULT_MODEL), DEFAULT_MODEL, "float32", THREADS, None)


def worker(stack: ExitStack) -> Encoder:
    made = EncoderWorker(HashingEncoder(), chunk=3)
    stack.callback(made.close)
    return made


def cache(stack: ExitStack) -> Encoder:
    return CachingEncoder(HashingEncoder(), 5)


def whole(stack: ExitStack) -> Encoder:
    return load_encoder(DEFAULT_MODEL, cache_entries=20)


def apart(stack: ExitStack) -> Encoder:
    made = asking()
    made.connect(MemoryPost(made.take))
    stack.callback(made.close)
    return made


MAKERS: dict[str, Callable[[ExitStack], Encoder]] = {
    "hashing": hashing,
    "transformer": transformer,
    "compiled": compiled,
    "worker": worker,
    "cache": cache,
    "whole": whole,
    "apart": apart,
}


COMPILED = pytest.param("compiled", marks=openvino_computes)
ALL = [COMPILED if name == "compiled" else name for name in MAKERS]


@pytest.fixture(scope="module", params=ALL)
def encoder(request: pytest.FixtureRequest) -> Iterator[Encoder]:
    with ExitStack() as stack:
        yield MAKERS[request.param](stack)


@pytest.fixture(scope="module", params=["hashing", COMPILED, "worker", "cache", "whole", "apart"])
def shared(request: pytest.FixtureRequest) -> Iterator[Encoder]:
    """Those that several threads may call: the transformer stands behind a worker's one thread."""
    with ExitStack() as stack:
        yield MAKERS[request.param](stack)


def assert_good(vectors: Vector, rows: int, encoder: Encoder) -> None:
    assert vectors.shape == (rows, encoder.dimension)
    assert vectors.dtype == np.float32
    assert np.isfinite(vectors).all()
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


def cosines(one: Vector, other: Vector) -> Vector:
    return np.asarray((one * other).sum(axis=1))


def test_it_names_its_dimension_and_revision(encoder: Encoder) -> None:
    assert encoder.dimension > 0
    assert encoder.revision


def test_texts_become_unit_rows(encoder: Encoder) -> None:
    assert_good(encoder.encode(PLAIN), len(PLAIN), encoder)
    assert_good(encoder.encode(tuple(PLAIN)), len(PLAIN), encoder)


def test_no_texts_no_rows(encoder: Encoder) -> None:
    assert_good(encoder.encode([]), 0, encoder)


@pytest.mark.parametrize("text", ODD.values(), ids=ODD.keys())
def test_odd_text_becomes_a_unit_row_too(encoder: Encoder, text: str) -> None:
    assert_good(encoder.encode([text]), 1, encoder)


def test_odd_texts_go_together(encoder: Encoder) -> None:
    assert_good(encoder.encode([*ODD.values(), *PLAIN]), len(ODD) + len(PLAIN), encoder)


@given(texts=st.lists(st.text(st.characters(), max_size=40), max_size=5))
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_text_becomes_a_unit_row(encoder: Encoder, texts: list[str]) -> None:
    assert_good(encoder.encode(texts), len(texts), encoder)


def test_a_row_depends_on_its_own_text_alone(encoder: Encoder) -> None:
    alone = np.concatenate([encoder.encode([text]) for text in PLAIN])
    mates = ["word " * 200, *PLAIN, "", *reversed(PLAIN)]
    together = encoder.encode(mates)
    assert cosines(alone, together[1 : len(PLAIN) + 1]).min() >= 0.999
    assert cosines(alone, together[: len(PLAIN) + 1 : -1]).min() >= 0.999


def test_a_row_depends_on_its_own_text_alone_when_made_anew(encoder: Encoder) -> None:
    """As above with texts that no cache has seen: first among others, then alone."""
    texts = [f"{text} once more" for text in PLAIN]
    together = encoder.encode([*("filling " * 30 + str(number) for number in range(40)), *texts])[
        -len(texts) :
    ]
    alone = np.concatenate([encoder.encode([text + " "]) for text in texts])
    assert cosines(alone, together).min() >= 0.999


def test_the_same_call_gives_the_same(encoder: Encoder) -> None:
    np.testing.assert_array_equal(encoder.encode(PLAIN), encoder.encode(PLAIN))


@pytest.mark.parametrize("name", ALL)
def test_the_same_revision_gives_the_same(name: str) -> None:
    with ExitStack() as stack:
        one, other = MAKERS[name](stack), MAKERS[name](stack)
        assert one.revision == other.revision
        np.testing.assert_array_equal(one.encode(PLAIN), other.encode(PLAIN))


def test_different_texts_differ_and_near_ones_are_near(encoder: Encoder) -> None:
    toys, more_toys, money = encoder.encode(
        ["a film about toys", "this film is about toys", "quarterly interest rates rise"]
    )
    assert toys @ more_toys > toys @ money
    assert toys @ money < 0.9


def test_threads_may_share_it(shared: Encoder) -> None:
    texts = [f"{text} {number}" for number in range(4) for text in PLAIN]
    expected = shared.encode(texts)
    start = threading.Barrier(THREADS)

    def work(offset: int) -> float:
        mine = texts[offset:] + texts[:offset]
        start.wait(30)
        got = np.concatenate([shared.encode(mine[at : at + 5]) for at in range(0, len(mine), 5)])
        return float(cosines(np.roll(got, offset, axis=0), expected).min())

    with ThreadPoolExecutor(THREADS) as pool:
        assert min(pool.map(work, range(THREADS))) >= 0.999
