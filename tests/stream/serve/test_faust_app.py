"""What the serve worker asks of Faust."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiokafka.errors import RequestTimedOutError
from aiokafka.protocol.produce import ProduceRequest
from kafka import KafkaConsumer, TopicPartition
from mode.utils.queues import FlowControlEvent, FlowControlQueue

from stream.broker.topics import ensure_topics
from stream.chain.wire import encode_item
from stream.serve.faust_app import faust_app
from upwell.client import client_options
from upwell.events import Topic
from upwell.settings import KafkaSettings, Settings
from upwell.values import CatalogueItem


@pytest.mark.parametrize("partitions", [1, 4, 16, 300, 1_000])
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


def test_a_micro_batch_of_catalogue_entries_is_one_batch_of_each_partition(tmp_path: Path) -> None:
    """Else each part waits for the one before. A topic takes at least a batch of this size."""
    settings = replace(Settings(), kafka=KafkaSettings(address="127.0.0.1:9"), data=tmp_path)
    most = faust_app(settings).conf.producer_max_batch_size
    vector = np.full(384, 384**-0.5, np.float32)
    entry = CatalogueItem(
        item_id="i" * 32, ts=1, title="t" * 60, vector=vector, revision="model@abc/mean/float32"
    )
    bytes_a_partition = (
        settings.stream.batch_events // settings.kafka.partitions * len(encode_item(entry))
    )
    assert bytes_a_partition < most < 1_000_000


def test_what_the_broker_took_is_not_written_twice_where_its_answer_was_lost(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    """A worker that stands still loses answers; what it writes when it goes on would come after
    what the next owner of its partitions wrote.
    """
    options = client_options(KafkaSettings(address=kafka, prefix=prefix))
    ensure_topics(prefix, 1, options)
    place = TopicPartition(prefix + Topic.RECOMMENDATIONS, 0)

    async def write() -> int:
        app = faust_app(replace(Settings(), kafka=KafkaSettings(address=kafka), data=tmp_path))
        producer: Any = await app.maybe_start_producer()
        client, lost = producer._producer.client, list[Any]()
        send = client.send

        async def once_in_vain(node: int, request: Any, **options: Any) -> Any:
            answer = await send(node, request, **options)
            if isinstance(request, ProduceRequest) and not lost:
                lost.append(answer)
                raise RequestTimedOutError
            return answer

        client.send = once_in_vain
        await (await producer.send(place.topic, b"ann", b"{}", place.partition, None, []))
        await producer.stop()
        return len(lost)

    assert asyncio.run(write()) == 1
    consumer = KafkaConsumer(**options)
    assert consumer.end_offsets([place]) == {place: 1}
    consumer.close()
