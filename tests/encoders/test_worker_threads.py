"""Several threads before one encoder: each takes chunks by itself, and all is as with one."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import closing

import numpy as np
import pytest

from encoders.worker import EncoderWorker
from tests.encoders.fakes import WAIT_SECONDS, FakeEncoder, vector_of
from upwell.errors import EncoderError
from upwell.values import Vector


class MeetingEncoder(FakeEncoder):
    """Each call waits until as many as `together` are at it."""

    def __init__(self, together: int) -> None:
        super().__init__()
        self._meeting = threading.Barrier(together)

    def encode(self, texts: Sequence[str]) -> Vector:
        self._meeting.wait(WAIT_SECONDS)
        return super().encode(texts)


def test_chunks_of_one_call_are_encoded_at_the_same_time() -> None:
    with closing(EncoderWorker(MeetingEncoder(3), chunk=2, threads=3)) as worker:
        texts = ["x" * length for length in range(6)]
        np.testing.assert_array_equal(
            worker.in_bulk().encode(texts), [vector_of(text) for text in texts]
        )
        assert worker.busy_seconds == 0.0


@pytest.mark.parametrize("texts", [100, 204, 500])
def test_one_call_gives_each_thread_about_as_much_as_the_others(texts: int) -> None:
    together = MeetingEncoder(2)  # an odd number of calls would wait for nobody
    with closing(EncoderWorker(together, threads=2)) as worker:
        worker.in_bulk().encode(["x" * (20 + number % 20) for number in range(texts)])
    sizes = [sum(len(text) + 1 for text in call) for call in together.calls]
    assert sum(map(len, together.calls)) == texts
    assert min(sizes) > 0.8 * max(sizes)


def test_gently_one_thread_at_a_time_is_at_a_catalogue() -> None:
    class Counting(FakeEncoder):
        at_it, most, lock = 0, 0, threading.Lock()

        def encode(self, texts: Sequence[str]) -> Vector:
            with self.lock:
                self.at_it += 1
                self.most = max(self.most, self.at_it)
            time.sleep(0.002)
            with self.lock:
                self.at_it -= 1
            return super().encode(texts)

    counting, gently = Counting(), True
    texts = ["x" * length for length in range(12)]
    with closing(EncoderWorker(counting, chunk=2, threads=3)) as worker:
        bulk = worker.in_bulk(lambda: gently)
        np.testing.assert_array_equal(bulk.encode(texts), [vector_of(text) for text in texts])
        assert counting.most == 1
        assert len(counting.calls) == 6
        gently = False
        while counting.most == 1:
            bulk.encode(texts)


def test_a_text_that_is_waited_for_goes_beside_a_catalogue() -> None:
    class Gate(FakeEncoder):
        entered, opened = threading.Event(), threading.Event()

        def encode(self, texts: Sequence[str]) -> Vector:
            if "title" in texts:
                self.entered.set()
                assert self.opened.wait(WAIT_SECONDS)
            return super().encode(texts)

    gate = Gate()
    with closing(EncoderWorker(gate, threads=2)) as worker:
        bulk = threading.Thread(target=worker.in_bulk().encode, args=(["title"],))
        bulk.start()
        assert gate.entered.wait(WAIT_SECONDS)
        np.testing.assert_array_equal(worker.encode(["search"]), [vector_of("search")])
        assert worker.busy_seconds > 0.0
        gate.opened.set()
        bulk.join(WAIT_SECONDS)


def test_closing_ends_every_thread() -> None:
    worker = EncoderWorker(FakeEncoder(), threads=4)
    worker.close()
    worker.close()
    assert not any(thread.is_alive() for thread in worker._threads)
    with pytest.raises(EncoderError, match="closed"):
        worker.encode(["a"])


def test_the_longest_call_says_whether_it_is_stuck() -> None:
    class Stuck(FakeEncoder):
        entered, opened = threading.Event(), threading.Event()

        def encode(self, texts: Sequence[str]) -> Vector:
            if texts == ["stuck"]:
                self.entered.set()
                self.opened.wait(WAIT_SECONDS)
            return super().encode(texts)

    stuck = Stuck()
    worker = EncoderWorker(stuck, threads=2, call_seconds=0.05)
    lost: list[EncoderError] = []

    def ask() -> None:
        try:
            worker.encode(["stuck"])
        except EncoderError as exc:
            lost.append(exc)

    asking = threading.Thread(target=ask)
    asking.start()
    assert stuck.entered.wait(WAIT_SECONDS)
    np.testing.assert_array_equal(worker.encode(["a"]), [vector_of("a")])
    asking.join(WAIT_SECONDS)
    [error] = lost
    assert "is stuck" in str(error)
    stuck.opened.set()
    while worker.busy_seconds:  # the call ends on its own thread
        time.sleep(0.001)
    worker.close()
