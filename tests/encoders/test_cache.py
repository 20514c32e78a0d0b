"""The cache: what was encoded is not encoded again, no more is kept than was allowed, and what is
given away is the caller's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encoders.cache import CachingEncoder, KeptEncoder, content_keys, text_sources, tokens_read
from encoders.kept import KeptVectors
from encoders.worker import EncoderWorker, in_bulk
from tests.encoders.fakes import DIMENSION, FakeEncoder, vector_of
from upwell.errors import EncoderError
from upwell.ports import Encoder


def test_duplicates_are_encoded_once() -> None:
    fake = FakeEncoder()
    cache = CachingEncoder(fake, 10)
    vectors = cache.encode(["one", "three", "one", "one"])
    assert fake.calls == [["one", "three"]]
    np.testing.assert_array_equal(
        vectors, [vector_of("one"), vector_of("three"), vector_of("one"), vector_of("one")]
    )
    assert (cache.hits, cache.misses) == (0, 4)


def test_known_texts_are_not_encoded_again() -> None:
    fake = FakeEncoder()
    cache = CachingEncoder(fake, 10)
    cache.encode(["a", "bb"])
    cache.encode(["bb", "ccc"])
    cache.encode(["a", "bb", "ccc"])
    assert fake.calls == [["a", "bb"], ["ccc"]]
    assert (cache.hits, cache.misses) == (4, 3)


def test_the_least_recently_used_leaves_first() -> None:
    fake = FakeEncoder()
    cache = CachingEncoder(fake, 2)
    for text in ("a", "bb", "a", "ccc"):
        cache.encode([text])  # bb leaves
    cache.encode(["a", "ccc"])
    assert fake.calls == [["a"], ["bb"], ["ccc"]]
    cache.encode(["bb"])
    assert fake.calls[3:] == [["bb"]]


@given(st.lists(st.lists(st.text(max_size=2), max_size=6), max_size=8), st.integers(0, 5))
def test_bound_and_answers_hold_for_any_calls(calls: list[list[str]], entries: int) -> None:
    fake = FakeEncoder()
    cache = CachingEncoder(fake, entries)
    for texts in calls:
        vectors = cache.encode(texts)
        assert vectors.shape == (len(texts), DIMENSION)
        assert all(
            (vector == vector_of(text)).all() for vector, text in zip(vectors, texts, strict=True)
        )
        assert len(cache._vectors) <= entries
    assert cache.hits + cache.misses == sum(map(len, calls))


def test_a_kept_vector_does_not_keep_its_batch() -> None:
    cache = CachingEncoder(FakeEncoder(), 10)
    cache.encode(["a", "bb", "ccc"])
    assert all(vector.base is None for vector in cache._vectors.values())


def test_callers_may_write_into_what_they_got() -> None:
    cache = CachingEncoder(FakeEncoder(), 10)
    for _ in range(3):
        vectors = cache.encode(["a"])
        np.testing.assert_array_equal(vectors, [vector_of("a")])
        vectors += 1.0


def test_a_failure_leaves_the_cache_as_it_was() -> None:
    fake = FakeEncoder()
    cache = CachingEncoder(fake, 10)
    cache.encode(["a"])
    fake.failure = EncoderError("out of memory")
    with pytest.raises(EncoderError, match="out of memory"):
        cache.encode(["a", "bb"])
    fake.failure = None
    cache.encode(["a", "bb"])
    assert fake.calls == [["a"], ["bb"], ["bb"]]


def test_threads_share_it() -> None:
    cache = CachingEncoder(FakeEncoder(), 5)
    texts = ["x" * number for number in range(20)]

    def work(start: int) -> bool:
        mine = texts[start:] + texts[:start]
        return all(
            (cache.encode(mine) == np.stack([vector_of(text) for text in mine])).all()
            for _ in range(20)
        )

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(8)))
    assert len(cache._vectors) == 5


def test_texts_in_bulk_are_kept_in_the_same_cache_and_take_the_lane_behind() -> None:
    fake = FakeEncoder()
    worker = EncoderWorker(fake)
    cache = CachingEncoder(worker, 10)
    taken: list[str] = []
    put = worker._put

    def watched(lane: object, chunk: object) -> None:
        taken.append("bulk" if lane is worker._bulk else "urgent")
        put(lane, chunk)  # type: ignore[arg-type]

    worker._put = watched  # type: ignore[method-assign]
    cache.in_bulk().encode(["a", "bb"])
    cache.encode(["bb", "ccc"])
    assert taken == ["bulk", "urgent"]
    assert fake.calls == [["a", "bb"], ["ccc"]]
    worker.close()


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[KeptVectors]:
    with closing(KeptVectors(tmp_path, "fake", DIMENSION, 10**9)) as opened:
        yield opened


def test_the_second_start_of_a_catalogue_encodes_nothing(kept: KeptVectors) -> None:
    titles = ["a", "bb", "a", "ccc"]
    first, second = FakeEncoder(), FakeEncoder()
    made = CachingEncoder(first, 10, kept).in_bulk()
    found = CachingEncoder(second, 10, kept).in_bulk()
    np.testing.assert_array_equal(made.encode(titles), found.encode(titles))
    assert (first.calls, second.calls) == ([["a", "bb", "ccc"]], [])
    assert made.sources == {"encoded": 3, "from_memory": 1, "from_disk": 0}
    assert found.sources == {"encoded": 0, "from_memory": 1, "from_disk": 3}
    found.encode(["bb", "dddd"])
    assert second.calls == [["dddd"]]
    assert text_sources(found) == {"encoded": 1, "from_memory": 2, "from_disk": 3}


def test_what_users_write_is_neither_kept_on_disk_nor_looked_up_there(kept: KeptVectors) -> None:
    fake = FakeEncoder()
    cache = CachingEncoder(fake, 10, kept)
    bulk = cache.in_bulk()
    cache.encode(["my illness", "a"])
    bulk.encode(["my illness"])  # in memory, where it was made for the user
    assert len(kept) == 0
    bulk.encode(["title"])
    assert set(kept.read(content_keys(["title", "my illness", "a"], "fake"))) == set(
        content_keys(["title"], "fake")
    )
    CachingEncoder(fake, 0, kept).encode(["title"])
    assert fake.calls == [["my illness", "a"], ["title"], ["title"]]


def test_what_was_not_encoded_is_not_kept(kept: KeptVectors) -> None:
    fake = FakeEncoder()
    fake.failure = EncoderError("out of memory")
    with pytest.raises(EncoderError):
        KeptEncoder(fake, kept).encode(["a", "bb"])
    assert len(kept) == 0


def test_a_disk_that_fails_costs_the_encoding_alone(kept: KeptVectors) -> None:
    fake = FakeEncoder()
    bulk = CachingEncoder(fake, 0, kept).in_bulk()
    bulk.encode(["a"])
    kept.close()
    np.testing.assert_array_equal(bulk.encode(["a", "bb"]), [vector_of("a"), vector_of("bb")])
    assert fake.calls == [["a"], ["a", "bb"]]


def test_an_encoder_without_a_cache_counts_nothing() -> None:
    assert text_sources(FakeEncoder()) == {}


def test_tokens_are_those_that_the_model_read(language_model: Encoder) -> None:
    before = tokens_read(language_model)
    language_model.encode(["a text that nobody asked for before"])
    once = tokens_read(language_model)
    assert once > before + 5
    language_model.encode(["a text that nobody asked for before"])
    assert tokens_read(language_model) == once, "of the cache's none"
    in_bulk(language_model).encode(["another text that nobody asked for before"])
    assert tokens_read(language_model) > once + 5, "both lanes count"
    assert tokens_read(FakeEncoder()) == 0
