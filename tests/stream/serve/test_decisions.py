"""What stands on `overrides` is what holds."""

from __future__ import annotations

import pytest

from stream.broker.topics import partitioner
from stream.chain.overrides.ledger import Kept
from stream.chain.overrides.record import encode_kept
from stream.chain.overrides.standing import Standing
from stream.chain.privacy import Pseudonymizer
from stream.chain.records import BroadcastRecord
from stream.serve.decisions import DecisionFeed, take_overrides
from tests.stream.chain.overrides.test_override import BASE
from upwell.errors import BrokerError


def record(override_id: str, kept: Kept | None) -> BroadcastRecord:
    value = None if kept is None else encode_kept(kept)
    return BroadcastRecord(0, 0, override_id.encode(), value, {}, 0)


def test_records_are_taken_in_their_order_and_one_without_a_value_takes_back() -> None:
    standing = Standing()
    kept = Kept(seq=0, standing=BASE)
    take_overrides([record("ö", kept), record("p", kept), record("ö", None)], standing)
    assert list(standing.kept) == ["p"]
    assert standing.decisions("u", (), None, 0) == {"i": BASE}


def test_what_something_else_wrote_ends_the_following() -> None:
    with pytest.raises(BrokerError, match="who else writes"):
        take_overrides([BroadcastRecord(0, 0, b"o", b"{}", {}, 0)], Standing())


def test_nothing_was_said_before_it_starts() -> None:
    feed = DecisionFeed({}, "upwell.", partitioner(4), {})
    assert feed.take(Pseudonymizer(bytes(32)), Standing()) == {}
