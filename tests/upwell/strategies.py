"""Valid events of every topic, for hypothesis."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from upwell.controls import OF_QUARANTINE, RULES, SCOPES, WITH_BOOST
from upwell.events import (
    Action,
    Click,
    Control,
    ControlKind,
    Decision,
    Event,
    Impression,
    Item,
    Knowledge,
    KnowledgeKind,
    Match,
    Query,
    Request,
    Review,
)
from upwell.schema import CLEARABLE, EARLIEST_MS

__all__ = ["NOW_MS", "events"]

NOW_MS = 1_800_000_000_000

ids = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=40)
words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80).filter(
    lambda one: not one.isspace()
)
times = st.just(0) | st.integers(EARLIEST_MS, NOW_MS)
maybe_id, maybe_words = st.none() | ids, st.none() | words
relations = st.dictionaries(ids, st.lists(ids, min_size=1, max_size=3).map(tuple), max_size=3).map(
    lambda one: tuple(sorted(one.items()))
)
prices = st.none() | st.floats(0, 1e300)

base: dict[str, Any] = {"event_id": ids, "ts": times, "user_id": ids}


def reviews() -> st.SearchStrategy[Review]:
    found = st.builds(
        Review,
        **base,
        item_id=ids,
        rating=st.none() | st.floats(0.5, 5),
        text=maybe_words,
        language=maybe_id,
    )
    return found.filter(lambda one: one.rating is not None or one.text is not None)


def impressions() -> st.SearchStrategy[Impression]:
    shown = st.lists(st.tuples(ids, st.floats(0, 1, exclude_min=True)), min_size=1, max_size=5)

    def build(pairs: list[tuple[str, float]], weighed: bool, rest: dict[str, Any]) -> Impression:
        chances = tuple(chance for _, chance in pairs) if weighed else None
        return Impression(**rest, item_ids=tuple(item for item, _ in pairs), propensities=chances)

    return st.builds(build, shown, st.booleans(), st.fixed_dictionaries({**base, "list_id": ids}))


def controls() -> st.SearchStrategy[Control]:
    """Of each kind, with the fields that it needs and some of those that it may have."""
    some: dict[str, st.SearchStrategy[Any]] = {
        **dict.fromkeys(("user_id", "item_id", "override_id", "segment", "of_event"), ids),
        "version": ids,
        "query": words.map(lambda text: text[:256]).filter(lambda text: not text.isspace()),
        "match": st.sampled_from(Match),
        "from_ts": st.integers(EARLIEST_MS, NOW_MS),
        "until_ts": st.integers(NOW_MS + 1, 2 * NOW_MS),
        "priority": st.integers(-9, 9),
        "decision": st.sampled_from(Decision),
    }

    def build(kind: ControlKind, given: dict[str, Any], scope: str, boost: float) -> Control:
        rule = RULES[kind]
        extra = {name for name in rule.may if name not in SCOPES or name == scope}
        held = {name: given[name] for name in {*rule.needs, *extra} & given.keys()}
        if kind is ControlKind.MERGE_USER:
            held["from_user"] = f"{held['user_id']}g"
        if kind is ControlKind.BOOST_ITEM:
            held["boost"] = boost
        if held.get("decision") in WITH_BOOST:
            held["boost"] = abs(boost) or 1.0
        if held.get("decision") in OF_QUARANTINE:  # for everyone
            held = {name: one for name, one in held.items() if name not in SCOPES}
        if scope != "query" or held.get("decision") in OF_QUARANTINE:
            held.pop("match", None)
        return Control(**given["rest"], kind=kind, **held)

    rest = st.fixed_dictionaries({"event_id": ids, "ts": times, "by": ids, "why": words})
    given = st.fixed_dictionaries({**some, "rest": rest})
    scopes = st.sampled_from(["", *SCOPES])
    return st.builds(build, st.sampled_from(ControlKind), given, scopes, st.floats(-10, 10))


def knowledge() -> st.SearchStrategy[Knowledge]:
    rest: dict[str, Any] = {"ts": times, "event_id": maybe_id, "deleted": st.booleans()}
    names = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=9)
    held: dict[str, Any] = {
        "months": st.lists(st.integers(1, 12), max_size=3).map(tuple),
        "within": maybe_id,
    }

    def triple(item_id: str, end: str, is_value: bool, more: dict[str, Any]) -> Knowledge:
        side: dict[str, Any] = (
            {"value": end} if is_value else {"object": end if end != item_id else f"{end}2"}
        )
        return Knowledge(kind=KnowledgeKind.TRIPLE, item_id=item_id, **side, **more)

    def rule(side: dict[str, Any], more: dict[str, Any]) -> Knowledge:
        return Knowledge(kind=KnowledgeKind.FILTER, **side, **more)

    sides = [{"category": ids}, {"relation": names, "value": ids}]
    triples = st.fixed_dictionaries({**rest, "relation": names})
    rules = st.fixed_dictionaries({**rest, **held, "rule_id": ids})
    return st.one_of(
        st.builds(triple, ids, ids, st.booleans(), triples),
        st.builds(
            rule,
            st.one_of([st.fixed_dictionaries(side) for side in sides]),
            rules,
        ),
    )


def _item(*, cleared: set[str], **more: Any) -> Item:
    """One that clears nothing that it gives."""
    free = (name for name in CLEARABLE if name in cleared and more[name] in (None, ()))
    return Item(**more, cleared=tuple(free))


def _click(*, action: Action, completion: float | None, **more: Any) -> Click:
    """A completion of a play alone."""
    return Click(**more, action=action, completion=completion if action is Action.PLAY else None)


def events() -> st.SearchStrategy[Event]:
    lists = st.lists(ids, max_size=4).map(tuple)
    count = st.none() | st.integers(0, 1_000_000)
    return st.one_of(
        st.builds(
            _item,
            item_id=ids,
            ts=times,
            title=st.none() | words,
            text=maybe_words,
            categories=lists,
            relations=relations,
            brand=maybe_id,
            price=prices,
            image=maybe_id,
            language=maybe_id,
            group=maybe_id,
            deleted=st.none() | st.booleans(),
            event_id=maybe_id,
            cleared=st.sets(st.sampled_from(CLEARABLE)),
        ),
        st.builds(
            _click,
            **base,
            item_id=ids,
            action=st.sampled_from(Action),
            dwell_ms=count,
            list_id=maybe_id,
            position=count,
            completion=st.none() | st.floats(0, 1),
        ),
        reviews(),
        st.builds(Query, **base, text=words),
        impressions(),
        st.builds(
            Request,
            **base,
            request_id=ids,
            k=st.none() | st.integers(1, 100),
            exclude=lists,
            category=maybe_id,
        ),
        controls(),
        knowledge(),
    )
