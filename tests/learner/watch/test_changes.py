"""What has changed, as people see it."""

from __future__ import annotations

import numpy as np
import pytest

from learner.watch.alerts import BURST, MOOD, NEW
from learner.watch.watch import Watch
from tests.learner.watch.posting import DIMENSION, SMALL, START, drawn, post, vector, write


def watching(moody: bool = False) -> Watch:
    """After a day of ten topics."""
    made = Watch(DIMENSION, SMALL)
    for seed, topic in enumerate(drawn(1, 2_500)):
        mood = 0.4 * np.sin(seed * 1.7) + 0.1 if moody else None
        made.read(post(topic, seed, mood=mood), vector(topic, seed))
    return made


def test_nothing_is_told_where_nothing_changes() -> None:
    made = watching(moody=True)
    assert made.alerts.open == {}
    assert len(made.topics.all) == 10


def test_a_known_topic_that_is_written_about_more_is_a_burst() -> None:
    made = watching()
    topics = [3 if seed % 2 else one for seed, one in enumerate(drawn(9, 300))]
    told = write(made, topics, 2_500)
    [alert] = [alert for one in told for alert in one.alerts]
    number = next(one.topic for one, topic in zip(told, topics, strict=True) if topic == 3)
    assert (alert.kind, alert.topic, alert.update) == (BURST, number, 0)
    assert alert.was == pytest.approx(0.1, abs=0.03)
    assert 0.0 < alert.low <= alert.now <= alert.high <= 1.0
    assert alert.now > 0.3
    assert abs(alert.since - START - 2_500 * 60_000) < 100 * 60_000
    assert len(alert.posts) == 5
    assert {one.text.split()[0] for one in alert.posts} == {"aboutd"}
    assert alert.name.split()[0] == "aboutd"


def test_a_topic_that_nobody_wrote_about_is_a_new_one() -> None:
    made = watching()
    topics = [12 if seed % 3 == 0 else one for seed, one in enumerate(drawn(9, 300))]
    told = write(made, topics, 2_500)
    [alert] = [alert for one in told for alert in one.alerts]
    assert (alert.kind, alert.topic) == (NEW, 11)
    assert alert.was < 0.01
    assert alert.now == pytest.approx(0.35, abs=0.15)


@pytest.mark.parametrize("turned", [-0.9, 0.9])
def test_a_mood_that_turns_is_told_either_way(turned: float) -> None:
    made = watching(moody=True)
    kinds = []
    for seed, topic in enumerate(drawn(9, 600), start=2_500):
        mood = turned if topic == 3 else 0.4 * np.sin(seed * 1.7) + 0.1
        told = made.read(post(topic, seed, mood=mood), vector(topic, seed))
        kinds += [(one, told.topic, topic) for one in told.alerts]
    assert {(one.kind, topic) for one, _, topic in kinds} == {(MOOD, 3)}
    alert, number, _ = kinds[0]
    assert alert.topic == number
    assert alert.was == pytest.approx(0.1, abs=0.1)
    assert alert.now * turned > 0.5
    assert alert.low <= alert.now <= alert.high


def test_what_has_risen_is_the_usual_from_there_on() -> None:
    """One burst that stays is one alert; a second rise is an update of it."""
    made = watching()
    told = write(
        made, [3 if seed % 3 == 0 else one for seed, one in enumerate(drawn(9, 1_500))], 2_500
    )
    [first] = [alert for one in told for alert in one.alerts]
    told = write(made, [3 if seed % 8 else one for seed, one in enumerate(drawn(8, 600))], 4_000)
    later = [alert for one in told for alert in one.alerts]
    assert [(one.alert_id, one.update) for one in later] == [(first.alert_id, 1)]
    assert later[0].was == first.was
    assert later[0].now > first.now


def test_permuted_streams_raise_no_more_than_was_asked() -> None:
    """Five streams of 2,000 posts, 1.4 days each, one false alarm a day."""
    seen = 0
    for seed in range(5):
        made = Watch(DIMENSION, SMALL)
        random = np.random.default_rng(seed)
        topics = random.integers(0, 12, 2_000)
        moods = np.clip(random.normal(0.1, 0.4, 2_000), -1.0, 1.0)
        for at, (topic, mood) in enumerate(zip(topics, moods, strict=True)):
            told = made.read(post(int(topic), at, mood=float(mood)), vector(int(topic), at))
            seen += len(told.alerts)
    assert seen <= 7
