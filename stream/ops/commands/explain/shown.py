"""An explained list for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from stream.replay.table import Rows, plain, printable
from upwell.reasons import Sentences
from upwell.recommendations import Entry

if TYPE_CHECKING:
    from stream.explain.again import Again

__all__ = ["differs_line", "items_table", "words_of"]


def items_table(again: Again, sentences: Sentences | None) -> Rows:
    """As it was published, with scores to the digit."""
    title = f"list {again.kept.list_id} of user {again.kept.user}"
    table = Rows("", "item", "score", "why", title=plain(f"{title} · model {again.version}"))
    for place, entry in enumerate(again.published, 1):
        name = plain(entry.title or entry.item_id)
        table.add_row(str(place), name, repr(entry.score), plain(_why(entry, sentences)))
    return table


def words_of(told: Mapping[str, Any]) -> Iterator[str]:
    """A line each: whether it is the same, by what, what would have had to differ."""
    by = told["made_by"]
    if told["same"]:
        yield (
            f"made again: the same {len(told['items'])} items, scores and reasons to the digit, by "
            f"model {by['version']} over {by['items']:,} items, {by['steps']:,} steps after the "
            f"worker began from a checkpoint at {_utc(by['begun'])}"
        )
    asked = told["asked"]
    if asked["surface"] is not None:
        yield f"it was asked for to be shown on {printable(asked['surface'])}"
    if asked["pinned"] or asked["boosted"]:
        yield f"people decided: pinned {asked['pinned']}, boosted {asked['boosted']}"
    if asked["bounds"]:
        yield f"bounds on exposure added {asked['bounds']} to scores of their groups"
    if told["counterfactual"] is not None:
        yield from _counterfactual(told["counterfactual"])


def differs_line(told: Mapping[str, Any]) -> str:
    """What is not the same, and what may be the reason."""
    by = told["made_by"]
    why = [
        f"{by['missing']} lists of the same call are gone, whose users were forgotten or whose "
        "time was over"
        if by["missing"]
        else "",
        f"it was made on {by['processor']}, this is {by['other_processor']}"
        if by["other_processor"]
        else "",
        f"the model comes out as {by['version_again']}, not {by['version']}"
        if by["version_again"] != by["version"]
        else "",
    ]
    reasons = "; ".join(one for one in why if one) or (
        "settings of the policy, libraries or the version of Upwell are others than they were"
    )
    places = ", ".join(str(one["place"]) for one in told["differs"]) or "none"
    return f"not the same list: it differs at places {places}: {reasons}"


def _counterfactual(found: Mapping[str, Any]) -> Iterator[str]:
    name = printable(found["title"] or found["item_id"])
    where = f"{name} (item {printable(found['item_id'])}, place {found['place']})"
    if found["pinned"]:
        yield f"{where} stands there since people pinned it"
    if found["explored"]:
        yield f"{where} stands there by lot, not by its score"
    if found["stays"]:
        yield f"{where} would be in the list without any event of the user's newest history too"
        return
    count = len(found["events"])
    proven = (
        "no fewer do"
        if found["smallest"]
        else (f"all sets of up to {found['all_up_to']} were tried, larger ones only greedily")
    )
    yield f"{where} would not be in the list without {count} of the user's events ({proven}):"
    for one in found["events"]:
        rating = "" if one["rating"] is None else f" {one['rating']:g}"
        item = printable(one["title"] or one["item_id"] or "")
        yield f"  {_utc(one['ts'])} {one['kind']}{rating} {item}".rstrip()


def _why(entry: Entry, sentences: Sentences | None) -> str:
    if sentences is not None:
        return " ".join(sentences.of(entry))
    return ", ".join(f"{one.signal} {one.weight!r}" for one in entry.reasons)


def _utc(ms: int) -> str:
    try:
        return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S}"
    except (OverflowError, OSError, ValueError):
        return f"{ms} ms"
