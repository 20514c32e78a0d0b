"""Lists of the engine and of peers on one stream: each asked before it learns."""

from __future__ import annotations

from functools import partial

import orjson
import pytest

from encoders.hashing import HashingEncoder
from stream.replay.log import LogRecord
from stream.replay.recipes.compare import BATCH, Lists, Target
from stream.replay.recipes.peers import Newest, Peer, Popular, Wanted
from stream.replay.recipes.recipe import Outcome, Source, record
from upwell.events import Topic
from upwell.values import Example, Interaction

T0 = 1_700_000_000_000
HOUR = 3_600_000
ENVIRONMENT = {"UPWELL_FUSED": "false"}


def items(count: int = 6) -> list[LogRecord]:
    return [
        record(
            n + 1,
            Topic.ITEMS,
            f"i{n}",
            {"item_id": f"i{n}", "ts": T0 + n * HOUR, "title": f"Film {n}"},
        )
        for n in range(count)
    ]


def click(number: int, user: str, item: str, action: str = "click") -> LogRecord:
    value = {"event_id": f"e{number}", "ts": T0 + 9 * HOUR + number, "user_id": user}
    return record(100 + number, Topic.CLICKS, user, value | {"item_id": item, "action": action})


class Kept:
    """A peer that keeps what it was told, in order, and always lists the same."""

    def __init__(self, kept: list[object]) -> None:
        self.kept = kept

    def announce(self, item_id: str, ts: int, available: bool) -> None:
        self.kept.append((item_id, ts, available))

    def see(self, user: str, item_id: str, ts: int) -> None:
        self.kept.append(item_id)

    def list(self, wanted: Wanted) -> list[str]:
        self.kept.append(wanted)
        return ["i1", "i0"]


def _itself(peer: Peer) -> Peer:
    return peer


def played(records: list[LogRecord], again: bool = False, **peers: Peer) -> Outcome:
    lists = Lists({name: partial(_itself, peer) for name, peer in peers.items()}, again=again)
    return lists(Source("drawn", records), ENVIRONMENT, HashingEncoder(), lambda done: None)


def test_a_peer_is_asked_before_the_events_of_a_batch_and_told_them_afterwards() -> None:
    kept: list[object] = []
    events = [click(n, "ann" if n % 2 else "bob", f"i{n % 3}") for n in range(4)]
    filled = [click(100 + n, "nobody", "i5", "skip") for n in range(BATCH - 6)]
    found = played([*items(), *filled, *events], kept=Kept(kept))
    announced, rest = kept[:6], kept[6:]
    assert announced[0] == ("i0", T0, True)
    first = next(place for place, one in enumerate(rest) if isinstance(one, Wanted))
    assert rest[:first] == ["i5"] * (BATCH - 6)
    asked = [one for one in rest if isinstance(one, Wanted)]
    assert rest[first:] == [*asked, "i0", "i1", "i2", "i0"]
    assert [len(one.history) for one in asked] == [0, 0, 1, 1]
    assert found.figures["targets"]["all"] == 4
    # i0 second, i1 first, i2 not at all, i0 second
    assert found.figures["sides"]["kept"]["hr10"]["all"] == 0.75
    assert found.figures["sides"]["kept"]["ndcg10"]["all"] == pytest.approx(0.5655, abs=1e-4)


def test_what_a_user_had_is_a_target_where_repeats_are_and_is_left_out_where_not() -> None:
    warm = [click(100 + n, "nobody", "i5", "skip") for n in range(BATCH - 6)]
    records = [*items(), *warm, *(click(n, "ann", "i1") for n in range(3))]
    for again, targets, left in ((False, 1, [()]), (True, 3, [(), (), ()])):
        kept: list[object] = []
        found = played(records, again, kept=Kept(kept))
        asked = [one for one in kept if isinstance(one, Wanted)]
        assert found.figures["targets"]["all"] == targets
        assert [tuple(one.left_out) for one in asked] == left
        assert ("again" in found.heads) == again


def test_an_item_that_is_gone_is_no_target_until_it_comes_back() -> None:
    gone = {"item_id": "i1", "ts": T0 + 8 * HOUR, "title": "Film 1", "deleted": True}
    warm = [click(100 + n, "nobody", "i5", "skip") for n in range(BATCH - 6)]
    records = [*items(), *warm, record(90, Topic.ITEMS, "i1", gone), click(1, "ann", "i1")]
    back = [
        *(click(200 + n, "nobody", "i5", "skip") for n in range(BATCH - 2)),
        record(91, Topic.ITEMS, "i1", gone | {"deleted": False}),
        click(2, "bob", "i1"),
    ]
    assert played([*records, *back]).figures["targets"]["all"] == 1


def test_the_engine_learns_what_all_do() -> None:
    """Everybody goes from i0 to i1."""
    warm = [click(n, f"w{n // 2}", f"i{n % 2}") for n in range(400)]
    found = played([*items(), *warm], Popular=Popular(HOUR), Newest=Newest()).figures["sides"]
    assert found["Upwell"]["ndcg10"]["all"] > 0.9
    assert found["Newest"]["ndcg10"]["all"] < 0.5
    assert list(found) == ["Upwell", "Popular", "Newest"]


def test_a_prefix_of_a_log_is_worth_the_same_whether_the_log_goes_on_or_not() -> None:
    clicks = (click(n, f"u{n % 5}", f"i{n * 7 % 90}") for n in range(6 * BATCH))
    records = [*items(90), *clicks]
    asked: list[list[object]] = [[], []]
    played(records[: 5 * BATCH], kept=Kept(asked[0]))
    played(records, kept=Kept(asked[1]))
    wanted = [[one for one in some if isinstance(one, Wanted)] for some in asked]
    assert wanted[1][: len(wanted[0])] == wanted[0]
    assert len(wanted[1]) > len(wanted[0]) > 0


def test_another_run_of_the_engine_has_its_own_settings() -> None:
    lists = Lists({}, without={"with another seed": {"UPWELL_SEED": "8"}})
    records = [*items(), *(click(n, f"u{n % 5}", f"i{n * n % 6}") for n in range(60))]
    done: list[int] = []
    found = lists(Source("drawn", records), ENVIRONMENT, HashingEncoder(), done.append)
    sides = found.figures["sides"]
    assert sides["Upwell"] == sides["with another seed"]  # the fused model alone draws
    assert done == [32, 64, 66]
    assert orjson.dumps(found.figures)


def test_slices() -> None:
    event = Interaction("e", 1, "i", "click")

    def example(events: int) -> Example:
        return Example(
            source="clicks-0",
            offset=1,
            user="u",
            event=event,
            history=(),
            intent=None,
            user_events=events,
            tested=True,
        )

    assert Target(example(2), 3, False).slices == ["all", "new_user"]
    assert Target(example(3), 2, True).slices == ["all", "new_item", "again"]
    assert Target(example(3), 3, False).slices == ["all"]
