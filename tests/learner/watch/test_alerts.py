"""Alerts are told once a change, not in quiet hours, and not after they were acknowledged."""

from __future__ import annotations

import pytest

from learner.watch.alerts import BURST, MOOD, Alert, Alerts, Quoted

HOUR = 3_600_000
DAY = 24 * HOUR
MIDNIGHT = 20_000 * DAY


def change(topic: int = 1, kind: str = BURST, at: int = MIDNIGHT, now: float = 0.3) -> Alert:
    posts = (Quoted("p1", "one"), Quoted("p2", "two"))
    return Alert("", 0, kind, topic, "name", 0.1, now, now - 0.1, now + 0.1, at - HOUR, at, posts)


def test_a_change_is_told_once_and_the_next_one_updates_it() -> None:
    alerts = Alerts(None)
    first = alerts.raised(change())
    assert alerts.due(MIDNIGHT) == (first,)
    assert alerts.due(MIDNIGHT) == ()
    later = alerts.raised(change(at=MIDNIGHT + HOUR, now=0.6))
    assert later.alert_id == first.alert_id
    assert (first.update, later.update) == (0, 1)
    assert (later.was, later.now, later.since) == (0.1, 0.6, first.since)
    assert alerts.due(MIDNIGHT + HOUR) == (later,)
    assert list(alerts.open.values()) == [later]


def test_another_topic_or_kind_is_another_alert() -> None:
    alerts = Alerts(None)
    made = [alerts.raised(one) for one in (change(), change(2), change(kind=MOOD))]
    assert len({one.alert_id for one in made}) == 3
    assert alerts.due(MIDNIGHT) == tuple(made)


def test_the_same_change_has_the_same_id() -> None:
    assert Alerts(None).raised(change()) == Alerts((1, 2)).raised(change())
    assert Alerts(None).raised(change()) != Alerts(None).raised(change(at=MIDNIGHT + 1))


@pytest.mark.parametrize(
    ("quiet", "hour", "is_quiet"),
    [
        (None, 3, False),
        ((22, 6), 21, False),
        ((22, 6), 22, True),
        ((22, 6), 3, True),
        ((22, 6), 6, False),
        ((1, 3), 2, True),
        ((1, 3), 3, False),
        ((5, 5), 5, False),
    ],
)
def test_quiet_hours(quiet: tuple[int, int] | None, hour: int, is_quiet: bool) -> None:
    assert Alerts(quiet).is_quiet(MIDNIGHT + hour * HOUR) is is_quiet


def test_what_is_found_in_quiet_hours_is_told_as_one_when_they_end() -> None:
    alerts = Alerts((22, 6))
    alerts.raised(change(at=MIDNIGHT + HOUR))
    alerts.raised(change(at=MIDNIGHT + 2 * HOUR, now=0.5))
    other = alerts.raised(change(2, at=MIDNIGHT + 3 * HOUR))
    assert alerts.due(MIDNIGHT + 5 * HOUR) == ()
    one, two = alerts.due(MIDNIGHT + 6 * HOUR)
    assert (one.update, one.was, one.now, one.since) == (0, 0.1, 0.5, MIDNIGHT)
    assert two == other


def test_who_acknowledges_closes_it_and_the_next_change_opens_another() -> None:
    alerts = Alerts((22, 6))
    first = alerts.raised(change(at=MIDNIGHT + HOUR))
    assert alerts.acknowledge(first.alert_id)
    assert alerts.open == {}
    assert alerts.acknowledge(first.alert_id), "twice is as once"
    assert not alerts.acknowledge("nothing")
    assert alerts.due(MIDNIGHT + 7 * HOUR) == (), "it was held, and is known"
    second = alerts.raised(change(at=MIDNIGHT + 8 * HOUR))
    assert second.alert_id != first.alert_id
    assert second.update == 0


def test_those_of_ended_topics_and_old_ones_are_closed() -> None:
    alerts = Alerts(None)
    for topic in (1, 2, 3):
        alerts.raised(change(topic, at=MIDNIGHT + topic))
    alerts.end({3}, MIDNIGHT + 2)
    assert [topic for topic, _ in alerts.open] == [2]
    assert [topic for topic, _ in alerts.held] == [2]


def test_who_is_forgotten_is_quoted_no_more() -> None:
    alerts = Alerts(None)
    alerts.raised(change())
    assert alerts.forget({"p1", "p9"}) == 1
    [told] = alerts.due(MIDNIGHT)
    assert told.posts == (Quoted("p2", "two"),)
