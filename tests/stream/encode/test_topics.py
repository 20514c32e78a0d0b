from __future__ import annotations

from stream.encode.topics import ENCODE_TOPICS, EncodeTopic, group_of
from upwell.events import Topic
from upwell.uses.topics import UseTopic


def test_they_have_names_and_groups_of_their_own_and_keep_nothing_for_long() -> None:
    assert not set(EncodeTopic) & {*Topic, *UseTopic}
    assert {one.topic for one in ENCODE_TOPICS} == set(EncodeTopic)
    for one in ENCODE_TOPICS:
        assert not one.single, "workers share a topic by its partitions"
        assert one.settings["retention.ms"] == "3600000"
    assert group_of("upwell.", EncodeTopic.TEXTS) == "upwell.encode_texts"
