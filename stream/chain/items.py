"""The chain of one micro-batch of announcements and operators' controls: records in, catalogue
entries out.

It has its own thread, so that encoding a catalogue never holds up a list.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from store import Store
from stream.chain.catalogue import announce, govern
from stream.chain.effects import ItemEffects
from stream.chain.records import Arrival, Record, decode_records
from upwell.events import Control, Event, Item, Topic
from upwell.ports import Encoder
from upwell.recommendations import DeadLetter
from upwell.values import CatalogueItem

__all__ = ["ItemPipeline"]


class ItemPipeline:
    """The serve worker's chain for the catalogue.

    One thread calls it. capacity: items that the store may hold; None is no limit.
    """

    def __init__(self, encoder: Encoder, store: Store, capacity: int | None = None) -> None:
        self._encoder = encoder
        self._store = store
        self._capacity = capacity

    def run(self, records: Sequence[Record], now_ms: int) -> ItemEffects:
        """Make entries and write them.

        Of an item that is announced twice in a batch, the newest by `ts` counts.
        """
        unknown: Counter[str] = Counter()
        arrivals, dead_letters = decode_records(records, now_ms, unknown)
        announced = [arrival.event for arrival in arrivals if isinstance(arrival.event, Item)]
        controls = [
            arrival
            for arrival in arrivals
            if isinstance(arrival.event, Control) and arrival.event.item_id is not None
        ]
        newest = self._newest(announced)
        fresh, known = self._fresh(newest)
        fresh, known, turned_away = self._within_capacity(fresh, known)
        dead_letters += [
            _catalogue_full(one, self._capacity or 0, now_ms)
            for one in arrivals
            if _item_id(one.event) in turned_away
        ]
        entries = {entry.item_id: entry for entry in announce(fresh, known, self._encoder)}
        dead_letters += self._govern(entries, controls, now_ms)
        refused = set(self._store.write_items(list(entries.values()))) if entries else set()
        return ItemEffects(
            items=tuple(entry for entry in entries.values() if entry.item_id not in refused),
            dead_letters=tuple(
                letter
                for letter in dead_letters
                if letter.topic == Topic.ITEMS or letter.reason == "unknown_item"
            ),
            counts=Counter(
                items=len(announced), stale_items=len(newest) - len(fresh) + len(refused)
            ),
            unknown_fields=Counter(
                {
                    name: count
                    for name, count in unknown.items()
                    if name.startswith(f"{Topic.ITEMS}.")
                }
            ),
        )

    def _known(self, item_ids: Sequence[str]) -> list[CatalogueItem | None]:
        return self._store.read_items(item_ids) if item_ids else []

    def _newest(self, announced: Sequence[Item]) -> list[Item]:
        newest: dict[str, Item] = {}
        for item in announced:
            if item.item_id not in newest or item.ts >= newest[item.item_id].ts:
                newest[item.item_id] = item
        return list(newest.values())

    def _fresh(self, newest: Sequence[Item]) -> tuple[list[Item], list[CatalogueItem | None]]:
        """Announcements that are not older than the stored entry, with that entry: an operator's
        word must not go down with a stale one.
        """
        known = self._known([item.item_id for item in newest])
        pairs = [
            (item, before)
            for item, before in zip(newest, known, strict=True)
            if before is None or item.ts >= before.sequence
        ]
        return [item for item, _ in pairs], [before for _, before in pairs]

    def _within_capacity(
        self, fresh: Sequence[Item], known: Sequence[CatalogueItem | None]
    ) -> tuple[list[Item], list[CatalogueItem | None], set[str]]:
        """What may be written, and the new items that are too many: the last ones of the batch.
        Deleted items count, they are kept.
        """
        new = [item.item_id for item, before in zip(fresh, known, strict=True) if before is None]
        if self._capacity is None or not new:
            return list(fresh), list(known), set()
        room = max(self._capacity - self._store.health().items, 0)
        turned_away = set(new[room:])
        kept = [
            (item, before)
            for item, before in zip(fresh, known, strict=True)
            if item.item_id not in turned_away
        ]
        return [item for item, _ in kept], [before for _, before in kept], turned_away

    def _govern(
        self, entries: dict[str, CatalogueItem], controls: Sequence[Arrival], now_ms: int
    ) -> list[DeadLetter]:
        """Apply operators' words to `entries`; an item that nobody announced is a dead letter."""
        dead_letters = []
        for arrival in controls:
            control = arrival.event
            assert isinstance(control, Control)
            item_id = control.item_id or ""
            entry = entries.get(item_id) or self._known([item_id])[0]
            if entry is None:
                dead_letters.append(_unknown_item(arrival, item_id, now_ms))
            else:
                entries[item_id] = govern(entry, control)
        return dead_letters


def _item_id(event: Event) -> str | None:
    return event.item_id if isinstance(event, Item) else None


def _catalogue_full(arrival: Arrival, capacity: int, now_ms: int) -> DeadLetter:
    detail = (
        f"the catalogue holds {capacity:,} items, as many as UPWELL_CATALOGUE_ITEMS allows: "
        "raise it, then send the item again"
    )
    return _letter(arrival, "catalogue_full", detail, now_ms)


def _unknown_item(arrival: Arrival, item_id: str, now_ms: int) -> DeadLetter:
    detail = (
        f"no item {item_id!r} was announced on topic items: announce it first, then send "
        "the control again"
    )
    return _letter(arrival, "unknown_item", detail, now_ms)


def _letter(arrival: Arrival, reason: str, detail: str, now_ms: int) -> DeadLetter:
    record = arrival.record
    return DeadLetter(
        reason=reason,
        detail=detail,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        raw=record.value or b"",
        key=record.key,
        ts=now_ms,
    )
