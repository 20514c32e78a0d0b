"""What was withdrawn or renamed: reasons do not talk of it any more, or by its new name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.learner.training.small import catalogue, learner_of, log, requests_of
from upwell.values import CatalogueItem, Interaction

EXAMPLES, STATES = log(400)


def causes(changed: list[CatalogueItem]) -> set[str | None]:
    """What the reasons of all users' lists name, after the changes."""
    learner = learner_of(EXAMPLES)
    learner.add_items(changed)
    lists = learner.rank(requests_of(STATES))
    return {reason.because for entries in lists for entry in entries for reason in entry.reasons}


@pytest.mark.parametrize("withdrawal", [{"deleted": True}, {"banned": True}])
def test_reasons_name_no_title_of_a_withdrawn_item_but_its_category(
    withdrawal: dict[str, bool],
) -> None:
    before = causes([])
    named = [item for item in catalogue() if item.title in before]
    gone = [replace(item, **withdrawal) for item in named[::2]]  # type: ignore[arg-type]
    after = causes(gone)
    assert gone
    assert not after & {item.title for item in gone}
    assert after & {"even", "odd"}


def test_reasons_name_items_as_they_are_called_now() -> None:
    old = {item.title for item in catalogue()}
    after = causes([replace(item, title=f"new {item.title}") for item in catalogue()])
    assert not after & old
    assert any(one is not None and one.startswith("new ") for one in after)


def test_reasons_for_an_entry_name_nothing_that_the_user_dislikes() -> None:
    learner = learner_of(EXAMPLES)
    requests = [
        replace(request, state=replace(request.state, history=tuple(map(disliked, history))))
        for request in requests_of(STATES)
        if (history := request.state.history)
    ]
    named = [
        reason
        for entries in learner.rank(requests)
        for entry in entries
        for reason in entry.reasons
        if reason.because is not None
    ]
    assert all(reason.weight < 0.0 or reason.signal == "intent" for reason in named)


def disliked(one: Interaction) -> Interaction:
    return replace(one, kind="dislike", rating=None)
