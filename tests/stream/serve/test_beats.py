"""A beat passes through the thread that works, or gets old."""

from __future__ import annotations

from stream.serve.beats import Beats


def test_a_thread_that_does_not_pass_gets_old_and_the_other_does_not() -> None:
    now, done = [100.0], []
    beats = Beats(lambda: now[0])

    def work() -> bool:
        done.append(now[0])
        return len(done) < 2

    users, items = beats.through("users", work), beats.through("items")
    now[0] = 105.0
    assert beats.ages() == {"users": 5.0, "items": 5.0}
    assert users()
    assert beats.ages() == {"users": 0.0, "items": 5.0}
    now[0] = 107.5
    assert not users()
    assert not items()
    assert done == [105.0, 107.5]
    now[0] = 108.0
    assert beats.ages() == {"users": 0.5, "items": 0.5}
