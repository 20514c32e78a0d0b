"""Topics are read whole, up to their ends as they stood, and none that is not there."""

from __future__ import annotations

from kafka import KafkaProducer

from stream.broker.topics import ensure_topics
from stream.ops.access.topics import Standing, read_topics
from upwell.events import Topic


def test_all_records_are_read_once_in_the_order_of_each_partition(kafka: str, prefix: str) -> None:
    client, told = {"bootstrap_servers": [kafka]}, list[tuple[int, int | None]]()
    assert list(read_topics(client, prefix, [Topic.CLICKS])) == []
    ensure_topics(prefix, 2, client)
    assert list(read_topics(client, prefix, [Topic.CLICKS])) == []
    with KafkaProducer(acks="all", **client) as producer:
        for number in range(300):
            value = None if number == 7 else b"%d" % number
            producer.send(prefix + Topic.CLICKS, key=b"c", value=value, partition=number % 2)
        producer.send(prefix + Topic.QUERIES, key=b"k", value=b"q", partition=1)
    found: list[Standing[Topic]] = []
    for one in read_topics(
        client, prefix, [Topic.CLICKS, Topic.QUERIES], lambda _, done, of: told.append((done, of))
    ):
        if not found:  # while it is read, more comes
            with KafkaProducer(acks="all", **client) as producer:
                producer.send(prefix + Topic.CLICKS, value=b"late", partition=0).get(30)
        found.append(one)
    for partition in range(2):
        clicks = [one for one in found if (one.topic, one.partition) == (Topic.CLICKS, partition)]
        assert [one.offset for one in clicks] == list(range(150))
        assert [one.value for one in clicks] == [
            None if 2 * n + partition == 7 else b"%d" % (2 * n + partition) for n in range(150)
        ]
    [query] = [one for one in found if one.topic is Topic.QUERIES]
    assert (query.place, query.key, query.value) == ("queries-1-0", b"k", b"q")
    assert told[-1] == (301, 301)


def test_of_a_topic_no_older_records_are_read_than_are_wanted(kafka: str, prefix: str) -> None:
    client = {"bootstrap_servers": [kafka]}
    ensure_topics(prefix, 2, client)
    at: list[int] = []
    with KafkaProducer(acks="all", **client) as producer:
        while len(set(at)) < 4:
            sent = producer.send(prefix + Topic.CLICKS, value=b"%d" % len(at), partition=0)
            at.append(sent.get(30).timestamp)
        producer.send(prefix + Topic.ITEMS, value=b"item", partition=1).get(30)
    topics = [Topic.CLICKS, Topic.ITEMS]

    def since(wanted: int) -> list[bytes | None]:
        told = list[tuple[int, int | None]]()
        since = {Topic.CLICKS: wanted}
        read = read_topics(
            client, prefix, topics, lambda _, done, of: told.append((done, of)), since
        )
        found = sorted(read, key=lambda one: (one.topic, one.offset))
        assert told[-1] == (len(found), len(found))
        return [one.value for one in found]

    assert since(0) == since(at[0]) == [*(b"%d" % n for n in range(len(at))), b"item"]
    later = sorted(set(at))[2]
    assert since(later) == [*(b"%d" % n for n, one in enumerate(at) if one >= later), b"item"]
    assert since(at[-1] + 1) == [b"item"]
