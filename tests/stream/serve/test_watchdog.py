"""When a worker counts as stalled, and that it is then ended with a reason, once."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from stream.broker.lag import Backlog
from stream.serve.watchdog import STALLED_EXIT, Stall, Watchdog
from upwell.errors import BrokerError
from upwell.system.threads import UNEXPECTED_EXIT


def reasons(looks: list[tuple[float, Backlog]], seconds: float = 60.0) -> list[str | None]:
    stall = Stall(seconds)
    return [stall.look(now, backlog) for now, backlog in looks]


def test_one_that_is_behind_and_does_not_move_is_stalled_after_the_stated_time() -> None:
    found = reasons([(0.0, Backlog(5, 10)), (59.0, Backlog(7, 10)), (60.0, Backlog(9, 10))])
    assert found == [None, None, "stalled: 9 records wait and none was acknowledged for 60 s"]


def test_one_that_moves_is_not_stalled_though_its_lag_grows() -> None:
    assert not any(reasons([(50.0 * step, Backlog(1_000 * step + 1, step)) for step in range(20)]))


def test_one_with_nothing_to_do_is_not_stalled_and_gets_its_whole_time_when_work_comes() -> None:
    idle = [(50.0 * step, Backlog(0, 10)) for step in range(10)]
    assert reasons(
        [*idle, (500.0, Backlog(1, 10)), (559.0, Backlog(1, 10)), (560.0, Backlog(1, 10))]
    )[-3:] == [
        None,
        None,
        "stalled: 1 records wait and none was acknowledged for 60 s",
    ]


def test_while_the_broker_does_not_answer_nobody_is_stalled() -> None:
    stall = Stall(60.0)
    stall.look(0.0, Backlog(1, 1))
    stall.unknown()
    assert stall.look(100.0, Backlog(1, 1)) is None
    assert stall.look(160.0, Backlog(1, 1)) is not None


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(0, 3), st.integers(0, 2)), max_size=30))
def test_a_reason_is_given_exactly_where_work_waited_unmoved_for_so_long(
    steps: list[tuple[int, int, int]],
) -> None:
    stall, now, done, still = Stall(60.0), 0.0, 0, None
    last = -1
    for seconds, behind, moved in steps:
        now, done = now + seconds, done + moved
        if behind == 0:
            still = None
        elif done != last or still is None:
            still = now
        last = done
        expected = still is not None and now - still >= 60.0
        assert (stall.look(now, Backlog(behind, done)) is not None) == expected


def test_the_thread_ends_the_worker_once_and_says_why() -> None:
    ended, said = threading.Event(), []
    answers: Iterator[Backlog | BrokerError] = iter(
        [Backlog(3, 1), BrokerError("gone"), *[Backlog(3, 1)] * 10]
    )
    clock = iter(range(0, 1_000, 40))

    def look() -> Backlog:
        answer = next(answers)
        if isinstance(answer, BrokerError):
            raise answer
        return answer

    def end(reason: str) -> None:
        said.append(reason)
        ended.set()

    watchdog = Watchdog(look, Stall(60.0), end, lambda: float(next(clock)), every=0.001)
    watchdog.start()
    assert ended.wait(30.0)
    watchdog.stop()
    assert said == ["stalled: 3 records wait and none was acknowledged for 80 s"]


def test_a_stalled_process_ends_at_once_with_its_own_exit_code() -> None:
    code = (
        "import logging; logging.basicConfig(); from stream.serve.watchdog import end_stalled; "
        "end_stalled('stalled: 3 records wait')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == STALLED_EXIT
    assert "stalled: 3 records wait; the worker ends and is started again" in done.stderr


def test_a_watchdog_that_fails_ends_the_process_with_the_reason() -> None:
    code = (
        "import threading; from stream.serve.watchdog import Stall, Watchdog\n"
        "def look(): raise KeyError('no such partition')\n"
        "Watchdog(look, Stall(60.0), print, lambda: 0.0, every=0.001).start()\n"
        "threading.Event().wait()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == UNEXPECTED_EXIT
    assert "thread watchdog: KeyError: 'no such partition'" in done.stderr
