"""What is held of a list on this machine: found by its id in the files of all workers, refused
where its user was forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from stream.broker.erasures.ledger import ledger_files, newest, read_file
from stream.explain.again import Again, make_again
from stream.explain.counterfactual import Counterfactual, Smallest, without
from stream.explain.evidence import FOLDER, Evidence, Kept, evidence_files
from upwell.errors import ModelError, SettingsError
from upwell.settings import Settings
from upwell.values import Vector

__all__ = ["NEWEST", "counterfactual_of", "explained", "kept_of"]

NEWEST = "newest"
DAY_MS = 86_400_000


def explained(settings: Settings, list_id: str) -> Again:
    """The list made again. list_id: or `newest`, the one made last. Raises `SettingsError`,
    `ModelError`, `StoreError`: where something is not held, what.
    """
    files = evidence_files(settings.data)
    if not files:
        raise SettingsError(
            f"nothing is kept of lists in {settings.data / FOLDER}: set UPWELL_EXPLAIN to hours, "
            "on each serve worker, before the lists are made, and ask where the worker's data are"
        )
    made: list[Again] = []
    wanted = _newest(files) if list_id == NEWEST else list_id
    for file in files:
        with closing(Evidence(file)) as evidence:
            for one in evidence.lists(wanted):
                _refuse_forgotten(settings, one)
                made.append(make_again(evidence, one))
    if made:
        return _best(made)
    raise ModelError(
        f"list {list_id} is not held in {settings.data / FOLDER}: it was made longer than "
        "UPWELL_EXPLAIN hours ago, while that was off, by a worker whose data are elsewhere, or "
        "its user was forgotten"
    )


def kept_of(settings: Settings, user: str) -> list[Kept]:
    """What is held of the lists of a pseudonym on this machine. Raises `StoreError`."""
    found: list[Kept] = []
    for file in evidence_files(settings.data):
        with closing(Evidence(file)) as evidence:
            found += evidence.of_user(user)
    return found


def counterfactual_of(
    settings: Settings, again: Again, item_id: str | None, most: int, words: Vector | None = None
) -> Counterfactual | None:
    """Of the first item where none is named; None of an empty list. words: vector of those that the
    list answers, None where they stay part of the intent. Raises `SettingsError` where the item is
    not in the list.
    """
    inside = [one.item_id for one in again.published]
    if item_id is not None and item_id not in inside:
        known = ", ".join(inside) or "nothing"
        raise SettingsError(f"--item {item_id}: the list has not got it; it has {known}")
    if not inside:
        return None
    catalogue = again.replica.ranking.catalogue
    half_life_ms = again.replica.settings.intent_half_life_days * DAY_MS

    def vector(one: str) -> Vector | None:
        row = catalogue.row(one)
        item = None if row is None else catalogue.items[row]
        return None if item is None else item.vector

    search = Smallest(
        rank=again.rank,
        change=lambda gone: without(again.request, gone, vector, half_life_ms, lambda _: words),
        history=again.request.state.history,
        most=most,
    )
    return search.of(item_id or inside[0])


def _newest(files: Sequence[Path]) -> str:
    """The id of the list that any worker made last; empty where none did."""
    newest: list[tuple[int, str]] = []
    for file in files:
        with closing(Evidence(file)) as evidence:
            found = evidence.newest()
            newest += [] if found is None else [(evidence.lists(found)[0].at, found)]
    return max(newest, default=(0, ""))[1]


def _best(made: list[Again]) -> Again:
    """Of a list that was made more than once the newest that comes out the same."""
    newest_first = sorted(made, key=lambda one: one.kept.at, reverse=True)
    return next((one for one in newest_first if one.same), newest_first[0])


def _refuse_forgotten(settings: Settings, kept: Kept) -> None:
    """A file may have been put back from a copy of before."""
    ledger = newest(
        entry
        for file in ledger_files(settings)
        if file.exists()
        for entry in read_file(file).values()
    )
    entry = ledger.get(kept.user)
    if entry is not None and kept.at <= entry.appended_ms:
        raise ModelError(
            f"list {kept.list_id} is of a user who was forgotten: nobody explains it any more"
        )
