"""A watch reads posts in any order and counts each as often as it should."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from learner.watch.options import Options
from learner.watch.post import Post
from learner.watch.watch import Watch
from tests.learner.watch.posting import DIMENSION, MINUTE, SMALL, START, drawn, post, vector, write


def test_the_same_id_is_heeded_once() -> None:
    made = Watch(DIMENSION, SMALL)
    assert made.read(post(1, 1, mood=0.5), vector(1, 1)).weight == "counted"
    again = made.read(post(1, 1, mood=0.5), vector(1, 1))
    assert (again.weight, again.topic, again.sentiment) == ("repeated", None, None)
    assert made.mood.labels == 1
    assert made.counted == 1


def test_a_text_that_was_counts_once_whoever_sends_it() -> None:
    made = Watch(DIMENSION, SMALL)
    said = [
        Post("a", "Buy now! https://x.io/1", "ann", START),
        Post("b", "buy NOW https://x.io/2", "bob", START + MINUTE),
        Post("c", "something else", "cid", START + 2 * MINUTE),
    ]
    vectors = [vector(1, 1), vector(2, 2), vector(1, 1)]
    told = [made.read(one, of).weight for one, of in zip(said, vectors, strict=True)]
    assert told == ["counted", "copied", "copied"]


def test_an_author_counts_once_a_topic() -> None:
    made = Watch(DIMENSION, SMALL)
    write(made, [1] * 20)
    own = [replace(post(1, seed), by="bot") for seed in range(100, 110)]
    told = [made.read(one, vector(1, 100 + at)).weight for at, one in enumerate(own)]
    assert told == ["counted"] + ["author"] * 9
    other = replace(post(2, 200), by="bot")
    assert made.read(other, vector(2, 200)).weight == "counted"


def test_a_hundred_copies_and_a_busy_author_raise_nothing() -> None:
    made = Watch(DIMENSION, SMALL)
    write(made, drawn(1, 2_000))
    for seed in range(2_000, 2_300):
        copied = Post(f"c{seed}", f"Vote for me {seed}!", f"bot{seed}", START + seed * MINUTE)
        assert made.read(copied, vector(20, 1)).alerts == ()
        busy = replace(post(3, seed), by="busy")
        assert made.read(busy, vector(3, seed)).alerts == ()


def test_posts_of_nobody_count() -> None:
    made = Watch(DIMENSION, SMALL)
    told = [made.read(replace(post(1, at), by=""), vector(1, at)) for at in range(12)]
    assert {one.weight for one in told} == {"counted"}
    assert told[-1].topic == 1


def test_what_is_older_than_the_window_is_late_and_its_label_is_learned() -> None:
    made = Watch(DIMENSION, SMALL)
    made.read(post(1, 1, minute=5_000), vector(1, 1))
    late = made.read(post(1, 2, minute=2_999, mood=0.3), vector(1, 2))
    assert late.weight == "late"
    assert made.mood.labels == 1
    assert made.read(post(1, 3, minute=3_000), vector(1, 3)).weight == "counted"
    assert made.now == START + 5_000 * MINUTE


def test_topics_keep_their_numbers_and_fade_with_the_window() -> None:
    made = Watch(DIMENSION, SMALL)
    before = write(made, drawn(1, 1_000, 4))
    numbers = {one.number for one in made.topics.all}
    assert len(numbers) == 4
    after = write(made, drawn(2, 1_000, 4), 1_000)
    assert {one.number for one in made.topics.all} == numbers
    known = {topic: one.topic for topic, one in zip(drawn(1, 1_000, 4), before, strict=True)}
    assert all(
        one.topic == known[topic] for topic, one in zip(drawn(2, 1_000, 4), after, strict=True)
    )
    made.read(post(9, 9_000, minute=20_000), vector(9, 99))
    assert made.topics.all == []
    write(made, [1] * 8, 30_000)
    assert made.topics.all[0].number > max(numbers)


def test_there_are_never_more_topics_than_asked() -> None:
    made = Watch(DIMENSION, replace(SMALL, topics=5))
    for seed, topic in enumerate(drawn(3, 1_500, 14)):
        made.read(post(topic, seed), vector(topic, seed))
        assert len(made.topics.all) <= 5
        assert len(made.topics.centres) == len(made.topics.all)
        assert len(made.changes.share.numbers) <= 5
    assert len(made.topics.all) == 5


def test_quiet_hours_end_without_a_post() -> None:
    made = Watch(DIMENSION, replace(SMALL, quiet=(0, 23)))
    write(made, drawn(1, 2_500))
    told = write(made, [12 if seed % 3 == 0 else 1 for seed in range(200)], 2_500)
    late = made.tick(made.now // 86_400_000 * 86_400_000 + 23 * 3_600_000)
    assert len(late) + sum(len(one.alerts) for one in told) >= 1
    assert made.alerts.held == {}


def test_who_is_forgotten_is_nowhere() -> None:
    made = Watch(DIMENSION, SMALL)
    write(made, drawn(1, 300))
    assert made.forget("u7") == 1
    assert made.forget("u7") == 0
    assert all(row.by != "u7" for rows in (made.sample, made.recent) for row in rows.rows)
    assert made.read(replace(post(1, 900), by="u7"), vector(1, 900)).weight == "counted"


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 5),
            st.integers(0, 60),
            st.integers(0, 100_000),
            st.sampled_from(["", "ann", "名"]),
            st.one_of(st.none(), st.floats(-1, 1)),
        ),
        max_size=60,
    )
)
def test_any_order_of_times_authors_and_labels_is_read(
    posts: list[tuple[int, int, int, str, float | None]],
) -> None:
    made = Watch(DIMENSION, Options(window_ms=1_000 * MINUTE, sample=16, recent=8, topics=2))
    for topic, seed, minute, by, mood in posts:
        one = Post(f"p{seed}", f"word {by}", by, START + minute * MINUTE, mood)
        told = made.read(one, vector(topic, seed))
        assert told.sentiment is None or -1.0 <= told.sentiment <= 1.0
        assert len(made.sample) <= 16
        assert len(made.recent) <= 8
        assert len(made.topics.all) <= 2
