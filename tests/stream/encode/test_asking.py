"""Who asks gets what the encoder would have given, waits as long as nobody answers, and says so
once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.encode import asking as module
from stream.encode.asking import AGAIN_SECONDS, QUIET_SECONDS, AskingEncoder
from stream.encode.topics import EncodeTopic
from stream.encode.wire import Answer
from tests.stream.encode.posts import ENCODER, VECTORS, HeldPost, MemoryPost, asking
from upwell.errors import BrokerError, EncoderError
from upwell.values import Vector


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TICK_SECONDS", 0.001)


def until(condition: Callable[[], bool]) -> None:
    for _ in range(30_000):
        if condition():
            return
        threading.Event().wait(0.001)
    raise AssertionError("in vain")


def longer(sent: Sequence[object], than: int) -> bool:
    return len(sent) > than


def asked(
    pool: ThreadPoolExecutor, encoder: AskingEncoder, post: HeldPost, texts: Sequence[str]
) -> Future[Vector]:
    """Once it has been sent."""
    before = len(post.sent)
    found = pool.submit(encoder.encode, texts)
    until(lambda: len(post.sent) > before)
    return found


@given(st.lists(st.text(max_size=20), max_size=12))
def test_each_text_has_its_own_vector_in_its_place_also_where_one_stands_twice(
    texts: list[str],
) -> None:
    encoder, post = asking(), HeldPost()
    encoder.connect(MemoryPost(encoder.take))
    np.testing.assert_array_equal(encoder.encode(texts), ENCODER.encode(texts))
    np.testing.assert_array_equal(encoder.in_bulk().encode(texts), ENCODER.encode(texts))
    assert (encoder.waits, encoder._wanted, encoder._found) == ({}, {}, {}), "nothing is kept"
    encoder.close()
    assert post.sent == []


def test_answers_may_come_one_by_one_backwards_twice_and_to_others() -> None:
    encoder, post = asking(), HeldPost()
    encoder.connect(post)
    with ThreadPoolExecutor(1) as pool:
        found = asked(pool, encoder, post, ["a", "b", "c"])
        stranger = Answer(b"another", VECTORS, ENCODER.encode(["x"])[0])
        for one in [stranger, *reversed(post.answers())]:
            assert not found.done()
            encoder.take([one])
            encoder.take([one])
        np.testing.assert_array_equal(found.result(30), ENCODER.encode(["a", "b", "c"]))
    encoder.take(post.answers())  # late
    assert encoder._found == {}


def test_two_that_wait_for_one_text_both_get_it() -> None:
    encoder, post = asking(), HeldPost()
    encoder.connect(post)
    with ThreadPoolExecutor(2) as pool:
        users = asked(pool, encoder, post, ["a", "b"])
        items = pool.submit(encoder.in_bulk().encode, ["b"])
        until(lambda: len(post.sent) == 2)
        assert [topic for topic, _ in post.sent] == [EncodeTopic.TEXTS, EncodeTopic.ITEM_TEXTS]
        assert set(encoder.waits) == {EncodeTopic.TEXTS, EncodeTopic.ITEM_TEXTS}
        encoder.take(post.answers())
        np.testing.assert_array_equal(users.result(30), ENCODER.encode(["a", "b"]))
        np.testing.assert_array_equal(items.result(30), ENCODER.encode(["b"]))


def test_who_hears_nothing_waits_says_so_once_asks_again_and_says_when_it_is_over(
    hurried: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "upwell.encode")
    clock = Clock()
    encoder, post = asking(clock), HeldPost()
    encoder.connect(post)

    def said() -> list[str]:
        return [one.getMessage() for one in caplog.records]

    with ThreadPoolExecutor(1) as pool:
        found = asked(pool, encoder, post, ["a", "b"])
        clock.now = QUIET_SECONDS - 0.1
        encoder._missing({})
        assert said() == []
        clock.now = QUIET_SECONDS + 0.1
        until(lambda: bool(said()))
        assert encoder.waits == {EncodeTopic.TEXTS: clock.now}
        encoder.take(post.answers()[:1])
        for clock.now in (AGAIN_SECONDS + 1, 2 * AGAIN_SECONDS + 2):
            before = len(post.sent)
            until(partial(longer, post.sent, before))
        assert [len(batch) for _, batch in post.sent] == [2, 1, 1], "only what has no answer"
        assert not found.done()
        encoder.take(post.answers())
        np.testing.assert_array_equal(found.result(30), ENCODER.encode(["a", "b"]))
    first, last = said()
    assert first == (
        "whoever runs `upwell run --roles encode` does not answer (2 texts need a vector of "
        f"{VECTORS}): waiting for it"
    )
    assert "answers again after" in last


def test_a_worker_that_answers_slowly_is_not_said_to_be_silent(
    hurried: None, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    encoder, post = asking(clock), HeldPost()
    encoder.connect(post)
    with ThreadPoolExecutor(1) as pool:
        found = asked(pool, encoder, post, list("abcdef"))
        for one in post.answers():
            clock.now += QUIET_SECONDS - 1
            encoder.take([one])
        found.result(30)
    assert caplog.records == []


def wrong_dimension() -> Vector:
    return np.array([1.0] + [0.0] * ENCODER.dimension, np.float32)


@pytest.mark.parametrize(
    ("encoder_name", "vector", "why"),
    [
        ("other", ENCODER.encode(["a"])[0], "answered with a vector of other, and 16/words"),
        (VECTORS, wrong_dimension(), "answered with 17 numbers, and 16/words has 16"),
    ],
)
def test_an_answer_of_another_encoder_is_refused_by_name(
    encoder_name: str, vector: Vector, why: str
) -> None:
    encoder, post = asking(), HeldPost()
    encoder.connect(post)
    with ThreadPoolExecutor(1) as pool:
        found = asked(pool, encoder, post, ["a"])
        encoder.take([Answer(post.sent[0][1][0].key, encoder_name, vector)])
        with pytest.raises(EncoderError, match=why):
            found.result(30)


def test_closing_lets_go_who_waits_and_a_reader_that_ended_is_told() -> None:
    encoder, post = asking(), HeldPost()
    encoder.connect(post)
    with ThreadPoolExecutor(1) as pool:
        found = asked(pool, encoder, post, ["a"])
        encoder.close()
        with pytest.raises(EncoderError, match="closed"):
            found.result(30)
    assert post.closed == 1
    broken, post = asking(), HeldPost()
    broken.connect(post)
    post.failure = OSError("no route")
    with pytest.raises(BrokerError, match="topic vectors: reading stopped: OSError: no route"):
        broken.encode(["a"])


@given(st.lists(st.sampled_from("abcd"), min_size=2, max_size=6))
def test_the_same_text_is_asked_for_once_a_call(texts: list[str]) -> None:
    encoder = asking()
    post = MemoryPost(encoder.take)
    encoder.connect(post)
    rows = encoder.encode(texts)
    for (one, left), (two, right) in pairwise(zip(texts, rows, strict=True)):
        assert (one == two) == bool((left == right).all())
    encoder.close()
