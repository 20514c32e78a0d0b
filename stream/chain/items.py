"""The chain of one micro-batch of announcements, operators' controls and knowledge: records in,
catalogue entries and rules out.

The order of the records decides, not their `ts`: an app's clock may be wrong. The chain has its own
thread, so that encoding a catalogue never holds up a list.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

from store import Store
from stream.chain.audit.desk import Desk
from stream.chain.catalogue import changed, encoded, govern, item_text
from stream.chain.effects import Decided, ItemEffects
from stream.chain.knowledge import Known, rules_of, with_triples
from stream.chain.pictures import Missed, looked
from stream.chain.records import Arrival, Record, decode_records, letter_of
from upwell.events import Control, ControlKind, Item, Knowledge, Topic
from upwell.ports import Encoder, Pictures
from upwell.recommendations import DeadLetter
from upwell.values import CatalogueItem

__all__ = ["ItemPipeline"]

_PARTS = 16
_OF_ITEMS = frozenset(
    {ControlKind.BAN_ITEM, ControlKind.PIN_ITEM, ControlKind.BOOST_ITEM, ControlKind.CLEAR_ITEM}
)
_COUNTED_MS = 10_000
_OWN = (Topic.ITEMS, Topic.KNOWLEDGE)
"""Topics whose bad records are dead letters here, and nowhere else."""

Entries = dict[str, CatalogueItem]
"""By item_id."""


class ItemPipeline:
    """The serve worker's chain for the catalogue.

    One thread calls it. capacity: items that the store may hold; None is no limit. pictures: looks
    at those of items; None where nobody does. desk: rules on controls and enters them, likewise.
    rule_ids: of the rules that hold now.
    """

    def __init__(
        self,
        encoder: Encoder,
        store: Store,
        capacity: int | None = None,
        pictures: Pictures | None = None,
        desk: Desk | None = None,
        rule_ids: Callable[[], Collection[str]] = tuple,
    ) -> None:
        self._encoder = encoder
        self._store = store
        self._desk = desk
        self._capacity = capacity
        self._pictures = pictures
        self._rule_ids = rule_ids
        self._counted_room = self._taken = self._counted_ms = 0

    def run(self, records: Sequence[Record], now_ms: int) -> ItemEffects:
        """Make entries and write them: announcements in their order, then operators' words, then
        what is known of items. Rules are told on.
        """
        unknown: Counter[str] = Counter()
        arrivals, bad = decode_records(records, now_ms, unknown)
        announced = [one for one in arrivals if isinstance(one.event, Item)]
        told = [one for one in arrivals if isinstance(one.event, Control)]
        controls = [one for one in told if getattr(one.event, "kind", None) in _OF_ITEMS]
        said = [one for one in arrivals if isinstance(one.event, Knowledge)]
        found = self._stored([*announced, *controls, *(one for one in said if _item_id(one))])
        before = {item_id: one for item_id, one in found.items() if not one.waiting}
        entries, letters = self._announce(announced, found, now_ms)
        letters += _govern(entries, before, controls, now_ms)
        shown, missed = self._looked(entries, before, announced)
        letters += _take_speechless(shown, announced, now_ms)
        known = self._know(shown, found, said, now_ms)
        rules, refused_rules = rules_of(said, self._rule_ids(), now_ms)
        stored = [before.get(one.item_id) for one in known.entries]
        made = encoded(known.entries, stored, self._encoder, self._pictures)
        written = [*made, *known.waiting]
        refused = set(self._store.write_items(written)) if written else set()
        own = [letter for letter in bad if letter.topic in _OWN]
        fields = {name: n for name, n in unknown.items() if name.partition(".")[0] in _OWN}
        return ItemEffects(
            items=tuple(entry for entry in made if entry.item_id not in refused),
            dead_letters=(*own, *letters, *known.letters, *refused_rules),
            counts=Counter(items=len(announced), stale_items=len(refused)),
            unknown_fields=Counter(fields),
            missed=tuple(missed),
            decided=Decided() if self._desk is None else self._desk.take(told, letters, now_ms),
            rules=rules,
        )

    def renew(self, item_ids: Sequence[str]) -> tuple[CatalogueItem, ...]:
        """The entries of these items with vectors of the encoder as it is now, written where they
        had others. Those that had them too: a worker may have died before it published them.
        """
        known = [one for one in self._store.read_items(item_ids) if one is not None]
        shown, _ = looked(known, known, {}, self._pictures, last=True)
        kept = [item_text(one) != "" or one.picture is not None for one in shown]
        shown = [one for one, stays in zip(shown, kept, strict=True) if stays]
        known = [one for one, stays in zip(known, kept, strict=True) if stays]
        made = encoded(shown, known, self._encoder, self._pictures)
        new = [one for one, before in zip(made, known, strict=True) if one is not before]
        refused = set(self._store.write_items(new)) if new else set()
        return tuple(one for one in made if one.item_id not in refused)

    def _looked(
        self, entries: Entries, before: Entries, announced: Sequence[Arrival]
    ) -> tuple[list[CatalogueItem], list[Missed]]:
        """The entries with their pictures, as they came on the last announcement of each."""
        images = {}
        for one in announced:
            image = getattr(one.event, "image", None)
            if image is not None:
                images[_item_id(one)] = image
        known = [before.get(item_id) for item_id in entries]
        return looked(list(entries.values()), known, images, self._pictures)

    def _know(
        self, shown: list[CatalogueItem], found: Entries, said: Sequence[Arrival], now_ms: int
    ) -> Known:
        """The entries with what `knowledge` says of them, and those that wait for theirs."""
        triples = [one for one in said if _item_id(one)]
        entries = found | {one.item_id: one for one in shown}
        new = any(_item_id(one) not in entries for one in triples)
        room = self._room(now_ms) if new else 0
        known = with_triples(entries, triples, room, self._encoder.dimension, now_ms)
        self._taken += sum(one.item_id not in found for one in known.waiting)
        told = {one.item_id: one for one in known.entries}
        both = [told.pop(one.item_id, one) for one in shown]
        return replace(known, entries=[*both, *told.values()])

    def _stored(self, arrivals: Iterable[Arrival]) -> Entries:
        item_ids = list(dict.fromkeys(_item_id(one) for one in arrivals))
        found = self._store.read_items(item_ids) if item_ids else []
        return {entry.item_id: entry for entry in found if entry is not None}

    def _announce(
        self, announced: Sequence[Arrival], before: Entries, now_ms: int
    ) -> tuple[Entries, list[DeadLetter]]:
        """The entries after all announcements; dead letters for what changes an item nobody
        announced, and for new items that are too many. Deleted items count, they are kept.
        """
        entries: Entries = {}
        letters: list[DeadLetter] = []
        new = any(_item_id(one) not in before for one in announced)
        room = self._room(now_ms) if new else 0
        had = room
        for arrival in announced:
            item = arrival.event
            assert isinstance(item, Item)
            known = entries.get(item.item_id) or before.get(item.item_id)
            untitled = self._pictures is not None
            entry = changed(known, item, arrival.record.appended_ms, untitled)
            if entry is None:
                if not item.deleted:
                    letters.append(_untitled(arrival, item.item_id, now_ms))
            elif known is None and room <= 0:
                letters.append(_catalogue_full(arrival, self._capacity or 0, now_ms))
            else:
                room -= known is None
                entries[item.item_id] = entry
        self._taken += had - room
        return entries, letters

    def _room(self, now_ms: int) -> int:
        """For so many new items. To count, the store reads all it has, so it is asked again where
        a part of the room is taken or some time has passed: another worker takes of it too.
        """
        if self._capacity is None:
            return sys.maxsize
        old = now_ms - self._counted_ms >= _COUNTED_MS
        if old or self._taken * _PARTS >= self._counted_room:
            self._counted_room = self._capacity - self._store.health().items
            self._taken, self._counted_ms = 0, now_ms
        return self._counted_room - self._taken


def _govern(
    entries: Entries, before: Entries, controls: Sequence[Arrival], now_ms: int
) -> list[DeadLetter]:
    """Apply operators' words to `entries`; an item that nobody announced is a dead letter."""
    letters = []
    for arrival in controls:
        control, item_id = arrival.event, _item_id(arrival)
        assert isinstance(control, Control)
        entry = entries.get(item_id) or before.get(item_id)
        if entry is None:
            letters.append(_unknown_item(arrival, item_id, now_ms))
        else:
            entries[item_id] = govern(entry, control)
    return letters


def _take_speechless(
    shown: list[CatalogueItem], announced: Sequence[Arrival], now_ms: int
) -> list[DeadLetter]:
    """Take out what has neither words nor a picture that can be had; dead letters for that."""
    gone = {one.item_id for one in shown if not item_text(one) and one.picture is None}
    shown[:] = [one for one in shown if one.item_id not in gone]
    last = {_item_id(one): one for one in announced}
    return [_speechless(last[item_id], item_id, now_ms) for item_id in gone & last.keys()]


def _item_id(arrival: Arrival) -> str:
    """Empty where the event is about no item."""
    return getattr(arrival.event, "item_id", None) or ""


def _catalogue_full(arrival: Arrival, capacity: int, now_ms: int) -> DeadLetter:
    detail = (
        f"the catalogue holds {capacity:,} items, as many as UPWELL_CATALOGUE_ITEMS allows: "
        "raise it, then send the item again"
    )
    return letter_of(arrival, "catalogue_full", detail, now_ms)


def _unknown_item(arrival: Arrival, item_id: str, now_ms: int) -> DeadLetter:
    detail = (
        f"no item {item_id!r} was announced on topic items: announce it first, then send the "
        "control again"
    )
    return letter_of(arrival, "unknown_item", detail, now_ms)


def _untitled(arrival: Arrival, item_id: str, now_ms: int) -> DeadLetter:
    detail = (
        f"title is missing, and no item {item_id!r} was announced that this could change: "
        "the first announcement of an item needs its title"
    )
    return letter_of(arrival, "missing_field", detail, now_ms)


def _speechless(arrival: Arrival, item_id: str, now_ms: int) -> DeadLetter:
    detail = (
        f"item {item_id!r} has no title and no text, and its picture cannot be had: send it again "
        "with words, or with a picture that can"
    )
    return letter_of(arrival, "no_picture", detail, now_ms)
