"""What the records of the other uses say."""

from __future__ import annotations

from stream.metrics.metric import Metric, Role

__all__ = ["USES"]

DESK: tuple[Role, ...] = ("desk",)
ALL: tuple[Role, ...] = DESK
USES: tuple[Metric, ...] = (
    Metric("use_events", "counter", "use.events", "events", "that a use has taken", ALL),
    Metric("use_letters", "counter", "use.letters", "records", "of a use that were no event", ALL),
    Metric(
        "use_forgotten",
        "counter",
        "use.forgotten",
        "questions",
        "and what else a use kept of users who were to be forgotten",
        ALL,
    ),
    Metric(
        "desk_questions",
        "counter",
        "desk.questions.{outcome}",
        "questions",
        "that were answered, handed over to a person, or came again and were passed over",
        DESK,
    ),
    Metric(
        "desk_choices",
        "counter",
        "desk.choices.{template}",
        "questions",
        "whose first choice was the template that was suggested first (`right`), or an `other`",
        DESK,
    ),
    Metric("desk_proposals", "counter", "desk.proposals", "proposals", "of new templates", DESK),
    Metric("desk_templates", "gauge", "desk.templates", "templates", "that may answer", DESK),
    Metric(
        "desk_remembered", "gauge", "desk.remembered", "questions", "that may be chosen for", DESK
    ),
)
