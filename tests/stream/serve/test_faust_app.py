"""What the serve worker asks of Faust."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from mode.utils.queues import FlowControlEvent, FlowControlQueue

from stream.serve.faust_app import faust_app
from upwell.settings import KafkaSettings, Settings


@pytest.mark.parametrize("partitions", [1, 4, 16, 300])
def test_a_flood_of_items_is_paused_before_it_keeps_users_events_from_being_read(
    partitions: int, tmp_path: Path
) -> None:
    """Faust reads all topics through one loop, which stands still while a full queue takes what was
    read for it.
    """
    kafka = KafkaSettings(address="127.0.0.1:9", partitions=partitions)
    conf = faust_app(replace(Settings(), kafka=kafka, data=tmp_path)).conf
    queue: FlowControlQueue[int] = FlowControlQueue(
        conf.stream_buffer_maxsize, flow_control=FlowControlEvent()
    )
    flowing = set(range(partitions))
    pauses = {
        partition: lambda partition=partition: flowing.discard(partition) for partition in flowing
    }
    resumes = {partition: lambda: None for partition in flowing}
    while flowing:
        partition = min(flowing)  # one poll may bring one partition alone
        for record in range(conf.broker_max_poll_records):
            assert not queue.full()
            queue.put_nowait_enhanced(
                record, on_pressure_high=pauses[partition], on_pressure_drop=resumes[partition]
            )
