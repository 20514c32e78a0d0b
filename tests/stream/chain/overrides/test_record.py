"""Records of `overrides`, and the controls that take back what names who was forgotten."""

from __future__ import annotations

import pytest

from stream.chain.effects import Erasure
from stream.chain.overrides.ledger import Kept
from stream.chain.overrides.record import decode_kept, encode_kept, withdrawal_of
from stream.chain.validate import decode
from tests.stream.chain.overrides.test_override import BASE
from upwell.errors import BrokerError
from upwell.events import Control, ControlKind, Topic

KEPT = [
    Kept(seq=0, standing=BASE),
    Kept(seq=7, standing=BASE, waiting=BASE, needs=2, approvals=("änn",)),
]


@pytest.mark.parametrize("kept", KEPT)
def test_it_comes_back_as_it_was(kept: Kept) -> None:
    assert decode_kept(encode_kept(kept)) == kept


@pytest.mark.parametrize("value", [b"", b"{}", b"[]", b'{"v": 2}', b'{"v": 1, "seq": 1}'])
def test_what_something_else_wrote_is_said(value: bytes) -> None:
    with pytest.raises(BrokerError, match="who else writes"):
        decode_kept(value)


def test_a_withdrawal_is_a_control_with_the_same_id_each_time() -> None:
    erasure = Erasure("pseudonym", "controls-0", 7, 1)
    found = [decode(Topic.CONTROLS, 0, 0, withdrawal_of("ö", erasure, 10**12), 10**12)] * 2
    [one, other] = found
    assert isinstance(one, Control)
    assert (one.kind, one.override_id, one == other) == (ControlKind.WITHDRAW, "ö", True)
    again = decode(Topic.CONTROLS, 0, 0, withdrawal_of("p", erasure, 10**12), 10**12)
    assert isinstance(again, Control)
    assert again.event_id != one.event_id
