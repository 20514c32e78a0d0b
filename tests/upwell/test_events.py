"""The names on the wire, which apps in other languages write out: none may change."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields

import pytest

from upwell.events import (
    Action,
    Click,
    ControlKind,
    Decision,
    KnowledgeKind,
    Match,
    Topic,
    type_of_topic,
)

CLICK = Click(event_id="e", ts=1, user_id="u", item_id="i", action=Action.CLICK)


def test_topics_actions_and_controls_have_the_names_of_version_1() -> None:
    assert " ".join(Topic) == (
        "items clicks reviews queries impressions requests controls knowledge rerouted catalogue "
        "recommendations confirmations dead_letters examples models metrics keys "
        "encoders overrides audit rules erasures quarantine"
    )
    assert " ".join(Action) == (
        "view click cart purchase like dislike skip share unlike "
        "comment follow save unsave hide report play add_to_list remove_from_list"
    )
    assert " ".join(KnowledgeKind) == "triple filter"
    assert " ".join(ControlKind) == (
        "forget_user merge_user ban_item pin_item boost_item clear_item override approve reject "
        "withdraw tag_user untag_user rollback_model promote_encoder rollback_encoder"
    )
    assert " ".join(Decision) == "ban pin boost demote keep release refuse"
    assert " ".join(Match) == "contains equals"


def test_every_topic_that_apps_write_has_a_type_of_its_own() -> None:
    written = list(Topic)[: list(Topic).index(Topic.REROUTED)]
    assert list(type_of_topic) == written
    assert len(set(type_of_topic.values())) == len(written)


@pytest.mark.parametrize("kind", type_of_topic.values())
def test_every_event_says_when_and_which(kind: type) -> None:
    assert {"event_id", "ts"} <= {one.name for one in fields(kind)}


def test_an_event_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        CLICK.ts = 2  # type: ignore[misc]
