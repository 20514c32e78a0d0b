"""All of the log is read, in the order of each partition."""

from __future__ import annotations

import pytest

from stream.broker.audit.log import read_log, read_overrides
from tests.stream.broker.audit.topics import publish
from tests.stream.chain.audit.desk import Board
from upwell.errors import BrokerError


def test_every_entry_of_every_partition(kafka: str, prefix: str) -> None:
    board, client = Board(), {"bootstrap_servers": kafka}
    for number in range(12):
        board.say("override", f"o{number}")
    publish(board, client, prefix)
    found = list(read_log(client, prefix))
    for at in {partition for partition, _ in board.audit}:
        own = [(offset, value) for partition, offset, value in found if partition == at]
        assert own == list(enumerate(value for partition, value in board.audit if partition == at))
    assert len(found) == 12
    assert len(read_overrides(client, prefix)) == 12


def test_a_prefix_without_an_engine_is_said(kafka: str, prefix: str) -> None:
    with pytest.raises(BrokerError, match="no engine has been there"):
        list(read_log({"bootstrap_servers": kafka}, prefix + "nobody."))
