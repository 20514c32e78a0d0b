"""The encoder's thread: what a list waits for passes a catalogue, errors reach who asked, closing
fails what waits. Orders, not times.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pytest

from encoders.worker import URGENT_IN_A_ROW, EncoderWorker, _Chunk, busy_seconds
from tests.encoders.fakes import WAIT_SECONDS, FakeEncoder, GatedEncoder, vector_of
from upwell.errors import EncoderError
from upwell.values import Vector

BIG = ["a", "bb", "ccc", "dddd", "eeeee"]


class Requests:
    """Requests to a worker from threads of their own; each is known to have been queued when `ask`
    returns.
    """

    def __init__(self, worker: EncoderWorker, pool: ThreadPoolExecutor) -> None:
        self._worker = worker
        self._pool = pool

    def ask(self, texts: Sequence[str], queued: int, bulk: bool = False) -> Future[Vector]:
        """queued: chunks that wait once this request has been queued."""
        encoder = self._worker.in_bulk() if bulk else self._worker
        asked = self._pool.submit(encoder.encode, texts)
        worker = self._worker
        with worker._changed:
            assert worker._changed.wait_for(
                lambda: len(worker._urgent) + len(worker._bulk) >= queued, WAIT_SECONDS
            )
        return asked


@pytest.fixture
def gated() -> GatedEncoder:
    return GatedEncoder()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as threads:
        yield threads


def test_a_big_request_is_cut_and_comes_back_whole() -> None:
    fake = FakeEncoder()
    worker = EncoderWorker(fake, chunk=2)
    np.testing.assert_array_equal(worker.encode(BIG), [vector_of(text) for text in BIG])
    assert fake.calls == [["a", "bb"], ["ccc", "dddd"], ["eeeee"]]
    assert worker.encode([]).shape == (0, fake.dimension)
    worker.close()


@pytest.mark.parametrize("words", [["search"], ["search", "query", "a review"]])
def test_words_are_let_in_between_the_chunks_of_a_catalogue(
    words: list[str], gated: GatedEncoder, pool: ThreadPoolExecutor
) -> None:
    worker = EncoderWorker(gated, chunk=2)
    requests = Requests(worker, pool)
    catalogue = requests.ask(BIG, queued=2, bulk=True)
    assert gated.entered.wait(WAIT_SECONDS)  # its first chunk is with the encoder
    cut = -(-len(words) // 2)
    urgent = requests.ask(words, queued=2 + cut)
    gated.let_pass(3 + cut)
    np.testing.assert_array_equal(urgent.result(WAIT_SECONDS), [vector_of(text) for text in words])
    np.testing.assert_array_equal(catalogue.result(WAIT_SECONDS), [vector_of(text) for text in BIG])
    assert gated.calls[0] == ["a", "bb"]
    assert sorted(text for call in gated.calls[1 : 1 + cut] for text in call) == sorted(words)
    assert gated.calls[1 + cut :] == [["ccc", "dddd"], ["eeeee"]]
    worker.close()


def test_a_catalogue_of_one_item_lets_words_go_first_too(
    gated: GatedEncoder, pool: ThreadPoolExecutor
) -> None:
    worker = EncoderWorker(gated, chunk=2)
    requests = Requests(worker, pool)
    asked = [requests.ask(["first"], queued=0)]
    assert gated.entered.wait(WAIT_SECONDS)
    asked += [requests.ask(["item"], queued=1, bulk=True), requests.ask(["search"], queued=2)]
    gated.let_pass(3)
    for one in asked:
        one.result(WAIT_SECONDS)
    assert gated.calls == [["first"], ["search"], ["item"]]
    worker.close()


def test_a_catalogue_that_fills_its_lane_keeps_no_words_out(
    gated: GatedEncoder, pool: ThreadPoolExecutor
) -> None:
    worker = EncoderWorker(gated, chunk=1, capacity=2)
    requests = Requests(worker, pool)
    big = requests.ask(
        BIG, queued=2, bulk=True
    )  # one with the encoder, two wait, two are kept back
    assert gated.entered.wait(WAIT_SECONDS)
    small = requests.ask(["search"], queued=3)
    gated.let_pass(len(BIG) + 1)
    small.result(WAIT_SECONDS)
    big.result(WAIT_SECONDS)
    assert gated.calls.index(["search"]) == 1
    worker.close()


def test_a_request_beyond_the_capacity_passes_in_full() -> None:
    fake = FakeEncoder()
    worker = EncoderWorker(fake, chunk=1, capacity=1)
    assert len(worker.encode(BIG)) == len(BIG)
    worker.close()


@pytest.mark.parametrize("texts", [["a"], BIG])
def test_errors_reach_the_caller_and_the_thread_goes_on(texts: list[str]) -> None:
    fake = FakeEncoder()
    worker = EncoderWorker(fake, chunk=2)
    fake.failure = EncoderError("out of memory")
    with pytest.raises(EncoderError, match="out of memory"):
        worker.encode(texts)
    fake.failure = None
    assert len(worker.encode(texts)) == len(texts)
    worker.close()


def test_close_fails_what_waits_and_what_comes_later(
    gated: GatedEncoder, pool: ThreadPoolExecutor
) -> None:
    worker = EncoderWorker(gated, chunk=2)
    requests = Requests(worker, pool)
    big = requests.ask(BIG, queued=2)
    assert gated.entered.wait(WAIT_SECONDS)
    small = requests.ask(["search"], queued=3)
    close_while_busy(worker, gated)
    for waiting in (big, small):
        with pytest.raises(EncoderError, match="closed"):
            waiting.result(WAIT_SECONDS)
    assert gated.calls == [["a", "bb"]]
    worker.close()  # does nothing
    with pytest.raises(EncoderError, match="closed"):
        worker.encode(["late"])


def test_close_wakes_who_waits_for_room(gated: GatedEncoder, pool: ThreadPoolExecutor) -> None:
    worker = EncoderWorker(gated, chunk=1, capacity=1)
    big = Requests(worker, pool).ask(BIG, queued=1)
    assert gated.entered.wait(WAIT_SECONDS)
    close_while_busy(worker, gated)
    with pytest.raises(EncoderError, match="closed"):
        big.result(WAIT_SECONDS)
    assert len(gated.calls) == 1


def close_while_busy(worker: EncoderWorker, gated: GatedEncoder) -> None:
    """Close first; then the call that is with the encoder ends in order."""
    closing = threading.Thread(target=worker.close)
    closing.start()
    with worker._changed:
        assert worker._changed.wait_for(lambda: worker._closed, WAIT_SECONDS)
    gated.let_pass()
    closing.join(WAIT_SECONDS)
    assert not closing.is_alive()


def test_small_requests_of_several_callers_go_together(
    gated: GatedEncoder, pool: ThreadPoolExecutor
) -> None:
    worker = EncoderWorker(gated, chunk=3)
    requests = Requests(worker, pool)
    first = requests.ask(["first"], queued=0)
    assert gated.entered.wait(WAIT_SECONDS)
    waiting = [
        requests.ask([text], queued=place) for place, text in enumerate(["a", "bb", "ccc"], start=1)
    ]
    gated.let_pass(2)
    for asked, text in zip([first, *waiting], ["first", "a", "bb", "ccc"], strict=True):
        np.testing.assert_array_equal(asked.result(WAIT_SECONDS), [vector_of(text)])
    assert gated.calls == [["first"], ["a", "bb", "ccc"]]
    worker.close()


def test_a_flood_of_words_keeps_no_catalogue_out(
    gated: GatedEncoder, pool: ThreadPoolExecutor
) -> None:
    worker = EncoderWorker(gated, chunk=2)
    requests = Requests(worker, pool)
    requests.ask(["first"], queued=0)
    assert gated.entered.wait(WAIT_SECONDS)
    big = requests.ask(["bb", "ccc", "dddd"], queued=2, bulk=True)
    for number in range(
        2 * URGENT_IN_A_ROW
    ):  # straight into the lane: as many callers would need as many threads
        worker._put(worker._urgent, _Chunk([f"u{number}", f"v{number}"], cost=6))
    gated.let_pass(3 + 2 * URGENT_IN_A_ROW)
    assert len(big.result(WAIT_SECONDS)) == 3
    assert gated.calls.index(["bb", "ccc"]) <= URGENT_IN_A_ROW + 1
    worker.close()


def test_long_texts_make_smaller_chunks() -> None:
    fake = FakeEncoder()
    worker = EncoderWorker(fake)
    worker.encode(["x" * 5_000] * 20)
    assert max(map(len, fake.calls)) < 8
    worker.close()


def test_a_failed_big_request_leaves_nothing_behind(
    gated: GatedEncoder, pool: ThreadPoolExecutor
) -> None:
    worker = EncoderWorker(gated, chunk=1)
    big = Requests(worker, pool).ask(BIG, queued=len(BIG) - 1)
    gated.failure = ValueError("no\nsuch thing")
    gated.let_pass()
    with pytest.raises(EncoderError, match="ValueError: no"):
        big.result(WAIT_SECONDS)
    gated.failure = None
    gated.let_pass(len(BIG))
    np.testing.assert_array_equal(worker.encode(["z"]), [vector_of("z")])
    assert len(gated.calls) <= 3  # what was cancelled is not encoded
    worker.close()


class Panic(BaseException):
    """As the tokenizers' Rust code panics: no `Exception`."""


@pytest.mark.parametrize("failure", [Panic("index out of bounds"), KeyboardInterrupt()])
def test_whatever_the_encoder_raises_reaches_the_caller_and_the_thread_goes_on(
    failure: BaseException,
) -> None:
    fake = FakeEncoder()
    worker = EncoderWorker(fake)
    fake.failure = failure
    with pytest.raises(EncoderError, match=type(failure).__name__):
        worker.encode(["a"])
    fake.failure = None
    assert len(worker.encode(["a"])) == 1
    worker.close()


def test_an_answer_that_is_none_reaches_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeEncoder()
    monkeypatch.setattr(fake, "encode", lambda texts: None)
    worker = EncoderWorker(fake, call_seconds=0.05)
    with pytest.raises(EncoderError, match="the encoder failed"):
        worker.encode(["a"])
    worker.close()


def test_a_thread_that_ends_fails_who_waits_and_who_comes_later(
    gated: GatedEncoder, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = EncoderWorker(gated, chunk=1, call_seconds=0.05)

    def torn() -> list[_Chunk]:
        raise RuntimeError("torn")

    first = pool.submit(worker.encode, ["first"])
    assert gated.entered.wait(WAIT_SECONDS)
    monkeypatch.setattr(worker, "_take", torn)
    second = Requests(worker, pool).ask(["second"], queued=1)
    gated.let_pass()
    assert len(first.result(WAIT_SECONDS)) == 1
    for late in (second, pool.submit(worker.encode, ["third"])):
        with pytest.raises(EncoderError, match="thread has ended: RuntimeError: torn"):
            late.result(WAIT_SECONDS)
    worker.close()


def test_what_a_thread_had_in_hand_when_it_ended_fails_too(
    pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = EncoderWorker(FakeEncoder(), call_seconds=0.05)

    def torn(number: int, wanted: Sequence[_Chunk]) -> None:
        raise RuntimeError("torn")

    monkeypatch.setattr(worker, "_encode", torn)
    with pytest.raises(EncoderError, match="thread has ended: RuntimeError: torn"):
        pool.submit(worker.encode, ["a"]).result(WAIT_SECONDS)


@pytest.mark.parametrize("texts", [["a"], BIG])
def test_a_call_that_does_not_end_is_an_error_that_names_the_encoder(
    texts: list[str], gated: GatedEncoder, pool: ThreadPoolExecutor
) -> None:
    """BIG fills its lane, so that its caller waits for room, not for an answer."""
    worker = EncoderWorker(gated, chunk=1, capacity=1, call_seconds=0.05)
    assert busy_seconds(worker) == 0.0
    asked = pool.submit(worker.encode, texts)
    with pytest.raises(EncoderError, match="encoder fake is stuck: a call has not ended"):
        asked.result(WAIT_SECONDS)
    assert busy_seconds(worker) >= 0.05
    with pytest.raises(EncoderError, match="stuck"):
        worker.close()
    gated.let_pass(len(texts))


def test_one_that_is_slow_and_moves_is_not_stuck(
    gated: GatedEncoder, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = EncoderWorker(gated, chunk=1, call_seconds=0.01)
    looks = threading.Semaphore(0)

    def look(_: EncoderWorker) -> float:
        looks.release()
        return 0.0

    monkeypatch.setattr(EncoderWorker, "busy_seconds", property(look))
    asked = pool.submit(worker.encode, ["a"])
    for _ in range(3):
        assert looks.acquire(timeout=WAIT_SECONDS)
    gated.let_pass()
    assert len(asked.result(WAIT_SECONDS)) == 1
    worker.close()
