"""What the records of the other uses say."""

from __future__ import annotations

from stream.metrics.metric import Metric, Role

__all__ = ["USES"]

DESK: tuple[Role, ...] = ("desk",)
WATCH: tuple[Role, ...] = ("watch",)
ALL: tuple[Role, ...] = (*DESK, *WATCH)
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
    Metric(
        "watch_posts",
        "counter",
        "watch.posts.{weight}",
        "posts",
        "that were counted, or why not: they came again, late, as a copy, or of an author who had "
        "written on their topic",
        WATCH,
    ),
    Metric(
        "watch_alerts",
        "counter",
        "watch.alerts.{kind}",
        "alerts",
        "that went out, updates too: of a new topic, a burst, a mood that turned",
        WATCH,
    ),
    Metric("watch_open", "gauge", "watch.open", "alerts", "that nobody acknowledged", WATCH),
    Metric("watch_topics", "gauge", "watch.topics", "topics", "that are written about", WATCH),
    Metric("watch_labels", "counter", "watch.labels", "posts", "that told their sentiment", WATCH),
    Metric("watch_remembered", "gauge", "watch.remembered", "posts", "kept of the window", WATCH),
)
