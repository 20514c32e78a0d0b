"""The operator's policy: which lists of terms there are, and what is done where one is hit."""

from __future__ import annotations

import tomllib
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from stream.chain.policy.classified import READS, Classified, read_classified
from stream.chain.policy.terms import Hit, Terms
from upwell.errors import SettingsError
from upwell.values import CatalogueItem

__all__ = ["NO_POLICY", "Policy", "TermList", "load_policy"]

_KEYS: dict[str, type | tuple[str, ...]] = {
    "words": list,
    "files": list,
    "allow": list,
    "categories": list,
    "items": ("block", "keep"),
    "texts": ("mask", "keep"),
}


class Finder(Protocol):
    """What finds harm in a text: terms, or a classifier. Whoever looks at a text asks it."""

    def find(self, text: str) -> list[Hit]:
        """Where it stands, in order. Never raises, does not block."""


@dataclass(frozen=True, slots=True)
class TermList:
    """categories: items of these fall under the list whatever they say. blocks: its items stand in
    no list. masks: what users write is read without its terms; reads: of which topics.
    """

    name: str
    terms: Finder
    categories: frozenset[str] = frozenset()
    blocks: bool = True
    masks: bool = True
    reads: frozenset[str] = frozenset(READS)


class Policy:
    """lists: in the order of the file. allowed: ids of items that no list concerns: somebody looked
    at them. segments: of users, each with the names of lists whose items it is not shown; surfaces:
    likewise places where lists are shown, of which the empty one is of lists that name none.
    classified: is the last list.
    """

    def __init__(
        self,
        lists: Sequence[TermList] = (),
        allowed: Iterable[str] = (),
        segments: Mapping[str, Sequence[str]] | None = None,
        surfaces: Mapping[str, Sequence[str]] | None = None,
        classified: Classified | None = None,
    ) -> None:
        lists = (*lists, *([] if classified is None else [_list_by(classified)]))
        self.classified = classified
        self._lists = tuple(lists)
        self._segments = dict(segments or {})
        self._surfaces = dict(surfaces or {})
        self._anywhere = frozenset(one for names in self._surfaces.values() for one in names)
        self.hiding = self._anywhere.union(*self._segments.values())
        """The lists that are hidden from a segment or on a surface, by name."""
        self._hiding = tuple(one for one in lists if one.name in self.hiding)
        self._blocking = tuple(one for one in lists if one.blocks)
        self._masking = tuple(one for one in lists if one.masks)
        self._allowed = frozenset(allowed)

    def judged(self, item: CatalogueItem) -> CatalogueItem:
        """The item, `blocked` by the name of the first list that it falls under."""
        name = next(self._under(self._blocking, item), None)
        return item if name is None else replace(item, blocked=name)

    def hidden(self, item: CatalogueItem) -> frozenset[str]:
        """Those of `hiding` that the item falls under."""
        return frozenset(self._under(self._hiding, item))

    def hidden_from(self, segments: Iterable[str], surface: str | None) -> frozenset[str]:
        """Those of `hiding` whose items a list is not to have. On a surface that the policy does
        not know they are those of all surfaces.
        """
        here = self._surfaces.get(surface or "", self._anywhere if surface else ())
        return frozenset(here).union(*(self._segments.get(one, ()) for one in segments))

    def _under(self, lists: Sequence[TermList], item: CatalogueItem) -> Iterator[str]:
        if lists and item.item_id not in self._allowed:
            said = (item.title, item.text, item.brand, *item.categories)
            text = "\n".join(part for part in said if part)
            for one in lists:
                if one.categories.intersection(item.categories) or one.terms.find(text):
                    yield one.name

    def masked(self, text: str, topic: str | None = None) -> str:
        """The text without the terms of lists that mask; the same where it has none, empty where
        nothing is left. topic: that it came on; None for any.
        """
        lists = [one for one in self._masking if topic is None or topic in one.reads]
        hits = [hit for one in lists for hit in one.terms.find(text)]
        return _without(text, hits) if hits else text

    def hits(self, text: str) -> list[tuple[str, Hit]]:
        """The terms that stand in a text, of all lists, each with its list's name."""
        return [(one.name, hit) for one in self._lists for hit in one.terms.find(text)]

    def __bool__(self) -> bool:
        return bool(self._lists)


NO_POLICY = Policy()


def _without(text: str, hits: Iterable[Hit]) -> str:
    kept, end = [], 0
    for hit in sorted(hits):
        kept.append(text[end : hit.start] if hit.start > end else "")
        end = max(end, hit.end)
    left = "".join((*kept, text[end:]))
    return " ".join(left.split()) if any(letter.isalnum() for letter in left) else ""


def load_policy(path: Path | None) -> Policy:
    """Of a file in TOML (docs/policy.md); without one nothing is harmful. Raises `SettingsError`,
    which names the file and the key.
    """
    if path is None:
        return NO_POLICY
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise SettingsError(f"UPWELL_POLICY: {path} cannot be read: {exc}") from exc
    lists, allowed = table.pop("lists", {}), table.pop("allow_items", [])
    segments, surfaces = table.pop("segments", {}), table.pop("surfaces", {})
    classifier = table.pop("classifier", None)
    tables = {"lists": lists, "segments": segments, "surfaces": surfaces}
    wrong = [*table, *(key for key, one in tables.items() if not isinstance(one, dict))]
    if wrong:
        known = "[lists.NAME], [segments.NAME], [surfaces.NAME], [classifier] and the list"
        raise _wrong(path, wrong[0], f"a policy has the tables {known} allow_items")
    named = [_list_of(path, name, lists[name]) for name in lists]
    judge = None if classifier is None else read_classified(path, classifier, lists)
    names = {*lists, *([] if judge is None else [judge.name])}
    of_segments, of_surfaces = (
        {name: _hidden(path, f"{kind}.{name}", own, names) for name, own in tables[kind].items()}
        for kind in ("segments", "surfaces")
    )
    return Policy(named, _texts(path, "allow_items", allowed), of_segments, of_surfaces, judge)


def _list_by(own: Classified) -> TermList:
    blocks, masks = "items" in own.reads, bool(own.reads - {"items"})
    return TermList(own.name, own.classifier, blocks=blocks, masks=masks, reads=own.reads)


def _hidden(path: Path, key: str, table: Any, lists: Container[str]) -> list[str]:
    if not isinstance(table, dict) or table.keys() != {"hide"}:
        raise _wrong(path, key, "it is to be a table with one key, hide: names of lists")
    names = _texts(path, f"{key}.hide", table["hide"])
    for one in names:
        if one not in lists:
            raise _wrong(path, f"{key}.hide", f"there is no list {one!r}")
    return names


def _list_of(path: Path, name: str, table: Any) -> TermList:
    key = f"lists.{name}"
    if not isinstance(table, dict):
        raise _wrong(path, key, "it is to be a table, [lists.NAME]")
    for own, value in table.items():
        _check(path, f"{key}.{own}", _KEYS.get(own), value)
    terms = _texts(path, f"{key}.words", table.get("words", []))
    for file in _texts(path, f"{key}.files", table.get("files", [])):
        terms += _lines(path.parent / file)
    categories = _texts(path, f"{key}.categories", table.get("categories", []))
    if not terms and not categories:
        raise _wrong(path, key, "it has neither words, nor files with some, nor categories")
    try:
        found = Terms(terms, _texts(path, f"{key}.allow", table.get("allow", [])))
    except ValueError as exc:
        raise _wrong(path, key, f"{exc}: a term is one word or several") from exc
    return TermList(
        name,
        found,
        frozenset(categories),
        table.get("items", "block") == "block",
        table.get("texts", "mask") == "mask",
    )


def _check(path: Path, key: str, right: type | tuple[str, ...] | None, value: Any) -> None:
    if right is None:
        raise _wrong(path, key, f"no such key: a list has {', '.join(_KEYS)}")
    if isinstance(right, tuple) and value not in right:
        raise _wrong(path, key, f"it is {value!r}: it is to be one of {', '.join(right)}")


def _texts(path: Path, key: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise _wrong(path, key, "it is to be a list of texts")
    return list(value)


def _lines(path: Path) -> list[str]:
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        raise SettingsError(f"UPWELL_POLICY: {path} cannot be read: {exc}") from exc
    stripped = (line.strip() for line in lines)
    return [line for line in stripped if line and not line.startswith("#")]


def _wrong(path: Path, key: str, what: str) -> SettingsError:
    return SettingsError(f"UPWELL_POLICY: {path}: {key}: {what}")
