"""Which items are like a banned one: as bans stand, in any order, and no more than asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from learner.catalogue.lexical import folded, grams
from learner.variety.kin import stem
from stream.chain.overrides.ledger import Kept
from stream.chain.overrides.override import Override
from stream.ops.review.alike import ALIKE, MOST_ALIKE, like_banned
from stream.ops.review.queue import Reason, queue
from stream.ops.review.seen import Seen
from stream.ops.review.told import row_of
from upwell.events import Decision

NOW = 1_700_000_000_000


def items(**titles: str | None) -> dict[str, Seen]:
    return {name: Seen(name, title, announced=NOW - 9) for name, title in titles.items()}


def ban(item_id: str, **more: Any) -> Kept:
    told = {"decision": Decision.BAN, "by": "ann", "why": "a fake", "event_id": "e", "at": NOW - 5}
    made = Override.of({"override_id": f"of {item_id}", "item_id": item_id, **told, **more})
    return Kept(seq=0, standing=made)


def standing(*kept: Kept) -> dict[str, Kept]:
    found = {}
    for number, one in enumerate(kept):
        assert one.standing is not None
        found[f"{number}"] = one
    return found


def likes(seen: dict[str, Seen], *bans: Kept) -> dict[str, float]:
    found = like_banned(seen, standing(*bans), NOW)
    return {name: round(one.likeness, 2) for name, one in found.items()}


WORLD = items(
    fake="Miracle Slimming Tea",
    again="MIRACLE  slimming tea!",
    size="Miracle Slimming Tea 500 g",
    tea="Green tea of the mountains",
    untitled=None,
    empty="",
)


def test_a_banned_items_likes_are_found_and_it_is_none_of_its_own() -> None:
    found = likes(WORLD, ban("fake"))
    assert set(found) == {"again", "size"}
    assert found["size"] == 1.0, "an amount tells a variant"
    assert likes(WORLD) == {}


def test_names_of_other_scripts_are_compared_too() -> None:
    seen = items(a="奇跡のダイエット茶 減肥", b="奇跡のダイエット茶 減肥!", c="山の緑茶")
    assert set(likes(seen, ban("a"))) == {"b"}


def test_what_the_app_puts_into_one_group_is_alike_whatever_its_name() -> None:
    seen = items(a="One", b="Two", c="Three")
    seen["a"].group = seen["b"].group = "g"
    seen["c"].group = "other"
    assert likes(seen, ban("a")) == {"b": 1.0}


def test_a_ban_that_does_not_hold_for_everyone_now_says_nothing() -> None:
    for more in (
        {"user": "u"}, {"segment": "s"}, {"query": "tea"}, {"until_ts": NOW}, {"from_ts": NOW + 1},
        {"decision": Decision.DEMOTE, "boost": 1.0}, {"decision": Decision.KEEP},
    ):  # fmt: skip
        assert likes(WORLD, ban("fake", **more)) == {}, more
    waits = Kept(seq=0, waiting=ban("fake").standing, needs=1)
    assert like_banned(WORLD, {"review:fake": waits}, NOW) == {}
    assert set(likes(WORLD, ban("fake", until_ts=NOW + 1))) == {"again", "size"}


def test_a_ban_of_what_no_topic_has_any_more_says_nothing() -> None:
    assert likes(WORLD, ban("gone"), ban("untitled"), ban("empty")) == {}


def test_one_ban_puts_so_many_before_a_person_and_no_more() -> None:
    seen = items(
        fake="Miracle Slimming Tea", **{f"i{n:03}": "Miracle Slimming Tea" for n in range(99)}
    )
    found = likes(seen, ban("fake"))
    assert sorted(found) == [f"i{n:03}" for n in range(MOST_ALIKE)]


def test_one_letter_anywhere_does_not_hide_it() -> None:
    name = "a tea that makes you slim within days"
    others = {f"i{at}": f"{name[:at]}ß{name[at + 1 :]}" for at in range(len(name))}
    seen = items(fake=name, **others)
    for other in others:
        assert set(likes({one: seen[one] for one in ("fake", other)}, ban("fake"))) == {other}


TITLES = st.text("ab 1茶", max_size=12)


@given(st.lists(TITLES, min_size=1, max_size=12), st.data())
def test_none_that_is_alike_is_missed_and_order_changes_nothing(
    titles: list[str], data: st.DataObject
) -> None:
    seen = items(**{f"i{n}": title for n, title in enumerate(titles)})
    banned = data.draw(st.lists(st.sampled_from(sorted(seen)), unique=True, max_size=4))
    bans = [ban(name) for name in banned]
    found = likes(seen, *bans)
    expected: dict[str, float] = {}
    for name, item in seen.items():
        own = grams(folded(item.title or ""))
        for other in banned:
            theirs = grams(folded(seen[other].title or ""))
            same = (
                item.title
                and stem(item.title)
                and stem(item.title) == stem(seen[other].title or "")
            )
            alike = 1.0 if same else len(own & theirs) / len(own | theirs) if own | theirs else 0.0
            if name not in banned and alike >= ALIKE:
                expected[name] = max(round(alike, 2), expected.get(name, 0.0))
    assert found == expected
    mixed = data.draw(st.permutations(bans))
    shuffled = dict(data.draw(st.permutations(list(seen.items()))))
    assert likes(shuffled, *mixed) == found


def test_it_waits_behind_what_users_said_and_names_its_reason() -> None:
    seen = WORLD | {"tea": replace(WORLD["tea"], words={f"u{n}": (NOW, True) for n in range(4)})}
    kept = standing(ban("fake"))
    rows = queue(seen, NOW - 100, NOW, like_banned(seen, kept, NOW))
    assert [one.item_id for one in rows] == ["tea", "again", "size"]
    assert rows[1].reasons == (Reason.LIKE_BANNED,)
    told = row_of(rows[1])
    assert (told["like"], told["since"]) == ("fake", NOW - 5)
    assert told["why"] == ["100% like item fake, which ann banned: a fake"]
