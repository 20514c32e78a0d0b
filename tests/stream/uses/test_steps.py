"""A step says where a batch ended, to whoever reads it later."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.uses.steps import Step
from upwell.errors import BrokerError

places = st.tuples(st.text(min_size=1), st.integers(0, 1_000))


@given(
    st.dictionaries(places, st.integers(0, 2**60)),
    st.integers(0, 2**50),
    st.dictionaries(st.text(), st.text()),
)
def test_a_step_is_read_as_it_was_written(
    ends: dict[tuple[str, int], int], at_ms: int, topics: dict[str, str]
) -> None:
    step = Step(ends, at_ms, topics)
    assert Step.read(step.value()) == step


@pytest.mark.parametrize("raw", [b"", b"{}", b'{"v":2,"at":1,"topics":{},"ends":[]}', b"[1]"])
def test_what_is_none_is_refused(raw: bytes) -> None:
    with pytest.raises(BrokerError, match="UPWELL_PREFIX"):
        Step.read(raw)
