"""The dashboard of the other uses."""

from __future__ import annotations

from infra.panel import Dashboard, panel

__all__ = ["USES"]

USES = Dashboard(
    "uses",
    "Upwell: other uses",
    (
        panel(
            "What comes in",
            "short",
            "events a second that a use has taken, records that were none",
            ("rate(upwell_use_events_total[1m])", "{{worker}} events"),
            ("rate(upwell_use_letters_total[1m])", "{{worker}} dead letters"),
        ),
        panel(
            "The desk's questions",
            "short",
            "a second, by what became of them: answered alone, handed over to a person, repeated",
            ("rate(upwell_desk_questions_total[1m])", "{{outcome}}"),
        ),
        panel(
            "Whether its first suggestion was chosen",
            "short",
            "first choices a second: the template that was suggested first, or another one",
            ("rate(upwell_desk_choices_total[1m])", "{{template}}"),
        ),
        panel(
            "What it keeps",
            "short",
            "templates that may answer, questions that may be chosen for, proposals so far, and "
            "what was removed of users who were forgotten",
            ("upwell_desk_templates", "templates"),
            ("upwell_desk_remembered", "questions"),
            ("upwell_desk_proposals_total", "proposals"),
            ("upwell_use_forgotten_total", "{{worker}} forgotten"),
        ),
        panel(
            "The watch's posts",
            "short",
            "a second, by whether they count: counted, repeated, late, copied, of an author who "
            "had written on their topic",
            ("rate(upwell_watch_posts_total[1m])", "{{weight}}"),
        ),
        panel(
            "Its alerts",
            "short",
            "so far by kind, and those that are open",
            ("upwell_watch_alerts_total", "{{kind}}"),
            ("upwell_watch_open", "open"),
        ),
        panel(
            "Its topics",
            "short",
            "that are written about, posts that are kept, posts that told their sentiment",
            ("upwell_watch_topics", "topics"),
            ("upwell_watch_remembered", "posts"),
            ("upwell_watch_labels_total", "labels"),
        ),
    ),
)
