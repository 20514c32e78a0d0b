"""Whose words count, and how old they are."""

from __future__ import annotations

from stream.ops.top.history import GONE_SECONDS, WINDOW_MS, History
from tests.stream.ops.top.records import learn, packed, serve


def test_words_of_the_window_are_kept_and_older_ones_are_not() -> None:
    history = History()
    for second in range(100):
        history.take(packed(serve(second * 1_000)), float(second))
    [spoken] = history.workers(100.0).values()
    assert spoken.seconds == WINDOW_MS / 1_000
    assert (spoken.last["at"], len(spoken.words)) == (99_000, WINDOW_MS // 1_000 + 1)


def test_who_leaves_is_gone_and_who_is_silent_is_seen_for_a_while() -> None:
    history = History()
    history.take(packed(serve(1_000, "a")), 1.0)
    history.take(packed(serve(1_000, "b")), 1.0)
    history.take(packed(serve(2_000, "b", leaves=True)), 2.0)
    assert list(history.workers(1.0 + GONE_SECONDS - 0.1)) == ["a"]
    assert history.workers(1.0 + GONE_SECONDS) == {}


def test_who_serves_stands_before_who_learns_and_who_waits() -> None:
    history = History()
    history.take(packed(learn(1)), 0.0)
    history.take(packed({"instance": "z", "role": "other", "at": 1}), 0.0)
    history.take(packed({"instance": "standby-x", "role": "standby", "at": 1}), 0.0)
    for name in ("serve-1", "serve-0"):
        history.take(packed(serve(1, name)), 0.0)
    assert list(history.workers(0.0)) == ["serve-0", "serve-1", "learn", "standby-x", "z"]


def test_a_clock_that_was_set_back_and_another_role_begin_anew() -> None:
    history = History()
    history.take(packed(serve(9_000)), 0.0)
    history.take(packed(serve(1_000)), 1.0)
    assert history.workers(1.0)["serve-0"].seconds == 0.0
    history.take(packed(serve(2_000, role="learn")), 2.0)
    assert len(history.workers(2.0)["serve-0"].words) == 1


def test_heard_live_is_told_from_read_of_before() -> None:
    history = History()
    history.take(packed(serve(1)), 0.0, live=False)
    assert not history.workers(0.0)["serve-0"].live
    history.take(packed(serve(2)), 0.0)
    history.take(packed(serve(3)), 0.0, live=False)
    assert history.workers(0.0)["serve-0"].live


def test_what_is_no_word_of_a_worker_is_left() -> None:
    history = History()
    history.take(b"{", 0.0)
    assert history.workers(0.0) == {}
