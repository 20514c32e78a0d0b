"""The topics of the other uses, without the prefix of the settings. A topic is made when the use
that owns it starts.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = ["UseTopic"]


class UseTopic(StrEnum):
    """`..._steps` are a use's own: what it has read when it published."""

    TEMPLATES = "templates"
    QUESTIONS = "questions"
    CHOICES = "choices"
    ANSWERS = "answers"
    PROPOSALS = "proposals"
    DESK_STEPS = "desk_steps"
    POSTS = "posts"
    ACKNOWLEDGEMENTS = "acknowledgements"
    ALERTS = "alerts"
    WATCH_STEPS = "watch_steps"
