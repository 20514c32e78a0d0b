"""A row and a decision as JSON and as sentences."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from stream.chain.overrides.ledger import Kept
from stream.chain.overrides.override import Override
from stream.ops.commands.manual import MANUAL
from stream.ops.review.alike import Alike
from stream.ops.review.queue import Reason, Row
from stream.ops.review.told import because, kept_of, row_of
from upwell.events import Decision

BAN = Override(
    override_id="review:i ü", item_id="i ü", decision=Decision.BAN, by="ann", why="a fake",
    event_id="e", at=5,
)  # fmt: skip
ROW = Row(
    item_id="i1", title=None, reasons=tuple(Reason), since=9, against=4, now=30, before=2,
    drift=5.1239, shown=25, announced=1, like=Alike(0.755, BAN), decided=Kept(seq=0, standing=BAN),
)  # fmt: skip


def test_every_reason_has_its_sentence_with_its_figures() -> None:
    assert [because(ROW, one) for one in Reason] == [
        "4 users speak against it",
        "new, and 30 users took it lately",
        "30 users took it lately, 2 before (+5.1 errors)",
        "25 times in lists, and 32 users took it",
        "76% like item i ü, which ann banned: a fake",
    ]


PLAIN = replace(ROW, reasons=(Reason.REPORTED,), like=None, decided=None, announced=None)


@pytest.mark.parametrize("row", [ROW, PLAIN])
def test_a_row_is_json_and_has_what_the_manual_says(row: Row) -> None:
    told = orjson.loads(orjson.dumps(row_of(row)))
    assert set(told) == set(MANUAL["review show"].fields)
    assert (told["drift"], told["like"]) == (5.124, row.like and "i ü")


def test_what_waits_is_told_before_what_holds() -> None:
    later = replace(BAN, decision=Decision.KEEP, by="bob", event_id="e2")
    waits = kept_of(Kept(seq=0, standing=BAN, waiting=later, needs=2, approvals=("eve",)))
    assert (waits["event_id"], waits["state"]) == ("e2", "waits")
    assert (waits["needs"], waits["approved_by"]) == (2, ["eve"])
    holds = kept_of(Kept(seq=0, standing=BAN))
    assert (holds["event_id"], holds["state"]) == ("e", "in_force")
