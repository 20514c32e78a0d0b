"""The opinion watch as a use, without a broker: what it reads, publishes, refuses and keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

import orjson
import pytest

from encoders.hashing import HashingEncoder
from learner.watch.options import Options
from stream.chain.privacy import Pseudonymizer
from stream.uses.fold import Folded, Row, fold
from stream.uses.watch import OpinionWatch, quiet_hours, watch_options
from upwell.errors import SettingsError
from upwell.events import Topic
from upwell.settings.uses import UseSettings
from upwell.uses.topics import UseTopic
from upwell.uses.watch import Alert

NOW = 1_764_547_200_000
MINUTE = 60_000
NAMES = Pseudonymizer(b"k" * 32)
ENCODER = HashingEncoder(64)
OPTIONS = Options(window_ms=1_500 * MINUTE, sample=512, recent=128, topics=20)
SUBJECTS = (
    "the train to town was late again",
    "new bakery bread tastes of summer",
    "rain floods our cellar every spring",
    "football team lost another home match",
)
SURGE = "water from the tap smells of petrol"


def row(topic: str, value: dict[str, Any], offset: int = 0, at: int = NOW) -> Row:
    return Row(topic, 0, offset, b"key", orjson.dumps({"ts": at, **value}), {}, at)


def post(number: int, words: str, at: int | None = None, **more: Any) -> Row:
    ts = NOW + number * MINUTE if at is None else at
    extra = f"say{chr(97 + number % 26)}{chr(97 + number // 26 % 26)}{chr(97 + number // 676)}"
    said = {"post_id": f"p{number}", "user_id": f"u{number}", "text": f"{words} {extra}", **more}
    return row(UseTopic.POSTS, said, number, ts)


def stream(first: int, count: int, surge: float = 0.0) -> list[Row]:
    random = Random(first)
    return [
        post(number, SURGE if random.random() < surge else random.choice(SUBJECTS))
        for number in range(first, first + count)
    ]


def folded(use: OpinionWatch, rows: Sequence[Row]) -> Folded:
    return fold(use, ENCODER, NAMES, rows, NOW + 10_000 * MINUTE)


def new_use() -> OpinionWatch:
    return OpinionWatch(64, OPTIONS)


def surged() -> tuple[OpinionWatch, Alert]:
    use = new_use()
    assert folded(use, stream(0, 1_600)).published == []
    [told] = folded(use, stream(1_600, 120, surge=0.6)).published
    assert told.topic == UseTopic.ALERTS
    assert told.key == told.value.alert_id
    return use, told.value


def test_a_surge_is_an_alert_that_quotes_it() -> None:
    use, alert = surged()
    assert (alert.kind, alert.update) == ("new", 0)
    assert alert.was < 0.01 < alert.low <= alert.now <= alert.high
    assert NOW + 1_600 * MINUTE <= alert.since <= alert.ts
    assert all(one.text.startswith(SURGE) for one in alert.posts)
    assert len(alert.posts) == 5
    assert set(alert.name.split()) <= set(SURGE.split())
    figures = use.figures()
    assert (figures["alerts"]["new"], figures["open"], figures["topics"]) == (1, 1, 5)
    assert sum(figures["posts"].values()) == 1_720


def test_who_acknowledges_closes_it_and_an_unknown_one_is_a_letter() -> None:
    use, alert = surged()
    seen = row(UseTopic.ACKNOWLEDGEMENTS, {"alert_id": alert.alert_id, "by": "eve"})
    unknown = row(UseTopic.ACKNOWLEDGEMENTS, {"alert_id": "none", "by": "eve"})
    told = folded(use, [seen, seen, unknown])
    assert [one.reason for one in told.letters] == ["unknown_alert"]
    assert use.figures()["open"] == 0


def test_a_post_that_comes_twice_counts_once() -> None:
    use = new_use()
    first = post(1, SUBJECTS[0], sentiment=0.5)
    folded(use, [first, first])
    folded(use, [first])
    assert use.figures()["posts"] == {
        "counted": 1,
        "repeated": 2,
        "late": 0,
        "copied": 0,
        "author": 0,
    }
    assert use.figures()["labels"] == 1


def test_a_wrong_clock_makes_nobody_late() -> None:
    use = new_use()
    ahead = Row(
        UseTopic.POSTS,
        0,
        0,
        b"k",
        orjson.dumps({"ts": NOW + 20 * 60 * MINUTE, "post_id": "a", "text": "ahead"}),
        {},
        NOW,
    )
    timeless = row(UseTopic.POSTS, {"ts": 0, "post_id": "b", "text": "no time"}, at=NOW)
    fold(use, ENCODER, NAMES, [ahead, timeless], NOW)
    assert use.watch.now == NOW
    assert use.figures()["posts"]["counted"] == 2


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"post_id": "p", "text": " "}, "empty"),
        ({"text": "hm"}, "missing_field"),
        ({"post_id": "p", "text": "hm", "sentiment": 1.5}, "out_of_range"),
        ({"post_id": "p", "text": "hm", "sentiment": "good"}, "wrong_type"),
    ],
)
def test_what_is_no_post_is_a_letter(value: dict[str, Any], reason: str) -> None:
    told = folded(new_use(), [row(UseTopic.POSTS, value), post(1, SUBJECTS[0])])
    assert [one.reason for one in told.letters] == [reason]
    assert told.events == 1


def test_texts_are_scrubbed_authors_are_pseudonyms_and_are_forgotten() -> None:
    use = new_use()
    folded(use, [post(1, "write to ann@example.org about it", user_id="ann"), post(2, "hello")])
    [one, _other] = use.watch.recent.rows
    assert one.by == NAMES.pseudonym("ann")
    assert "ann@" not in one.text
    forget = {"event_id": "c", "kind": "forget_user", "user_id": "ann", "by": "op", "why": "asked"}
    assert folded(use, [row(Topic.CONTROLS, forget)]).forgotten == 1
    assert NAMES.pseudonym("ann") not in str(use.meta())


def test_what_it_keeps_comes_back_whole() -> None:
    rows = [*stream(0, 1_600), *stream(1_600, 120, surge=0.6)]
    whole, first, second = new_use(), new_use(), new_use()
    told = folded(whole, rows)
    before = folded(first, rows[:1_630])
    second.restore(first.arrays(), orjson.loads(orjson.dumps(first.meta())))
    after = folded(second, rows[1_630:])
    assert [*before.published, *after.published] == told.published != []
    assert second.meta() == whole.meta()
    for name, array in whole.arrays().items():
        assert second.arrays()[name].tobytes() == array.tobytes(), name


def test_all_that_is_held_of_an_author_is_what_forgetting_removes() -> None:
    use, ann, guest = new_use(), NAMES.pseudonym("ann"), NAMES.pseudonym("guest")
    said = [post(0, SUBJECTS[0], user_id="ann"), post(1, SUBJECTS[1], user_id="guest")]
    folded(use, [*said, *stream(10, 50)])
    [held] = use.held(ann)
    assert (held["post_id"], held["ts"]) == ("p0", NOW)
    assert held["text"].startswith(SUBJECTS[0])
    merge = {"event_id": "m", "kind": "merge_user", "user_id": "ann", "from_user": "guest"}
    folded(use, [row(Topic.CONTROLS, {**merge, "by": "op", "why": "asked"})])
    assert use.held(guest) == []
    assert {one["post_id"] for one in use.held(ann)} == {"p0", "p1"}
    assert use.forget(ann) == 2
    assert use.held(ann) == []


def test_settings_are_options() -> None:
    options = watch_options(UseSettings(watch_window=2.0, watch_quiet="22-6", watch_topics=7))
    assert (options.window_ms, options.quiet, options.topics) == (7_200_000, (22, 6), 7)
    assert quiet_hours(None) is None
    assert quiet_hours("") is None


def test_what_quiet_hours_held_is_told_by_the_clock_when_nobody_writes() -> None:
    """The surge is from 2:40 to 4:40."""
    use = OpinionWatch(64, replace(OPTIONS, quiet=(2, 6)))
    assert folded(use, stream(0, 1_600)).published == []
    assert folded(use, stream(1_600, 120, surge=0.6)).published == []
    day = NOW + 24 * 60 * MINUTE
    assert list(use.idle(day + 5 * 60 * MINUTE)) == []
    [told] = use.idle(day + 6 * 60 * MINUTE)
    assert (told.topic, told.value.kind, told.value.update) == (UseTopic.ALERTS, "new", 0)
    assert list(use.idle(day + 7 * 60 * MINUTE)) == []
    assert use.figures()["alerts"]["new"] == 1


@pytest.mark.parametrize("text", ["22", "22-24", "5-5", "-1-3", "a-b", "22–6"])
def test_wrong_quiet_hours_are_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="such as 22-6"):
        quiet_hours(text)
