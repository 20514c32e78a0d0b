from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from stream.metrics.histogram import EVENTS, SECONDS, Histogram


@given(
    st.lists(st.floats(0, 1e4, allow_nan=False), max_size=50), st.sampled_from([EVENTS, SECONDS])
)
def test_each_bucket_has_what_was_at_most_its_bound(
    values: list[float], bounds: tuple[float, ...]
) -> None:
    histogram = Histogram(bounds)
    for value in values:
        histogram.observe(value)
    report = histogram.report()
    assert report["buckets"] == {
        **{str(bound): sum(value <= bound for value in values) for bound in bounds},
        "+Inf": len(values),
    }
    assert report["sum"] == sum(values)


def test_threads_lose_nothing() -> None:
    histogram = Histogram((1.0,))

    def observe() -> None:
        for _ in range(2_000):
            histogram.observe(0.5)

    threads = [threading.Thread(target=observe) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert histogram.report() == {"buckets": {"1.0": 8_000, "+Inf": 8_000}, "sum": 4_000.0}
