"""Fields that no version names: counted by name, told once, bounded in number."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stream.serve.unknown_fields import MAX_NAMES, KeptOut


def test_each_is_counted_and_named_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "upwell.serve")
    kept_out = KeptOut()
    kept_out.add({"clicks.colour": 2})
    kept_out.add({"clicks.colour": 1, "items.colour": 4})
    assert kept_out.counts == {"clicks.colour": 3, "items.colour": 4}
    assert [one.getMessage().split()[1] for one in caplog.records] == [
        "clicks.colour",
        "items.colour",
    ]


batches = st.lists(
    st.builds(
        lambda topic, start, count: {f"{topic}.f{start + n}": n + 1 for n in range(count)},
        st.sampled_from(["clicks", "items"]),
        st.integers(0, 200),
        st.integers(0, 150),
    ),
    max_size=6,
)


@given(batches)
@example([{f"{topic}.f{n}": 1 for n in range(150)} for topic in ("clicks", "items")])
def test_a_flood_of_names_is_bounded_and_nothing_is_lost(found: list[dict[str, int]]) -> None:
    kept_out = KeptOut()
    for batch in found:
        kept_out.add(batch)
    for topic in ("clicks", "items"):
        assert of_topic(topic, kept_out.counts) == sum(of_topic(topic, batch) for batch in found)
    assert len(kept_out.counts) <= MAX_NAMES + 2


def of_topic(topic: str, counts: Mapping[str, int]) -> int:
    return sum(count for name, count in counts.items() if name.startswith(topic))
