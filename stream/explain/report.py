"""An explained list as one JSON-ready object: what it is, whether it came out the same, what would
have had to differ.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from stream.explain.again import Again
from stream.explain.counterfactual import Counterfactual
from upwell.recommendations import Entry

__all__ = ["differences", "report_of"]


def report_of(again: Again, counterfactual: Counterfactual | None) -> dict[str, Any]:
    """Titles are as the list's worker knew them."""
    request = again.request
    return {
        "list_id": again.kept.list_id,
        "user": again.kept.user,
        "at": again.kept.at,
        "same": again.same,
        "differs": differences(again),
        "items": [asdict(one) for one in again.published],
        "made_by": {
            "version": again.version,
            "version_again": again.made_version,
            "items": len(again.replica.ranking.catalogue),
            "begun": again.begun,
            "steps": again.steps,
            "missing": again.missing,
            "processor": again.processor,
            "other_processor": again.other_processor,
        },
        "asked": {
            "k": request.k,
            "words": request.words,
            "category": request.category,
            "surface": request.surface,
            "excluded": list(request.exclude),
            "pinned": list(request.pinned),
            "boosted": dict(request.boosted),
            "worn": dict(request.worn),
            "events": request.state.events,
            "history": len(request.state.history),
            "bounds": sorted({float(one) for one in again.lift if one}),
        },
        "counterfactual": counterfactual and _counterfactual(counterfactual, again),
    }


def differences(again: Again) -> list[dict[str, Any]]:
    """Of each place at which the two lists are not the same, the entry as it was published and as
    it is made now.
    """
    places = range(max(len(again.published), len(again.entries)))
    pairs = ((one, _at(again.published, one), _at(again.entries, one)) for one in places)
    return [
        {"place": place + 1, "published": was and asdict(was), "again": now and asdict(now)}
        for place, was, now in pairs
        if was != now
    ]


def _at(entries: tuple[Entry, ...], place: int) -> Entry | None:
    return entries[place] if place < len(entries) else None


def _counterfactual(found: Counterfactual, again: Again) -> dict[str, Any]:
    entry = next(one for one in again.published if one.item_id == found.item_id)
    return {
        "item_id": found.item_id,
        "title": _title(again, found.item_id),
        "place": again.published.index(entry) + 1,
        "explored": entry.explored,
        "pinned": found.item_id in again.request.pinned or _governed(again, found.item_id),
        "stays": found.stays,
        "events": [
            {
                "event_id": one.event_id,
                "ts": one.ts,
                "kind": one.kind,
                "rating": one.rating,
                "item_id": one.item_id,
                "title": None if one.item_id is None else _title(again, one.item_id),
            }
            for one in found.events
        ],
        "smallest": found.smallest,
        "all_up_to": found.all_up_to,
        "tried": found.tried,
    }


def _governed(again: Again, item_id: str) -> bool:
    """Whether an operator pinned it for everybody."""
    catalogue = again.replica.ranking.catalogue
    row = catalogue.row(item_id)
    return row is not None and bool(catalogue.pinned[row])


def _title(again: Again, item_id: str) -> str | None:
    catalogue = again.replica.ranking.catalogue
    row = catalogue.row(item_id)
    return None if row is None else catalogue.title(row)
