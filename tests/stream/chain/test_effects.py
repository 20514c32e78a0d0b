"""What a batch asks for: nothing by default, and each batch counts for itself."""

from __future__ import annotations

import pytest

from stream.chain.effects import Effects, Erasure, ItemEffects


@pytest.mark.parametrize("kind", [Effects, ItemEffects])
def test_two_batches_share_no_counts(kind: type[Effects | ItemEffects]) -> None:
    one, other = kind(), kind()
    one.counts["events"] += 1
    one.unknown_fields["clicks.colour"] += 1
    assert not other.counts
    assert not other.unknown_fields


@pytest.mark.parametrize(("source", "partition"), [("controls-0", 0), ("dead-letters-12", 12)])
def test_an_erasure_goes_where_the_user_s_examples_are(source: str, partition: int) -> None:
    assert Erasure("u", source, 7, states=1).partition == partition
