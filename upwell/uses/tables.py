"""Every record of the other uses by its topic: reading what apps write, and what Upwell publishes.

`UseShapes` are to these what `upwell.schema` is to the recommender's events.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, TypeVar, get_type_hints

import orjson

from upwell.errors import InvalidEventError
from upwell.uses.desk import (
    CHOICE_CHECKS,
    QUESTION_CHECKS,
    TEMPLATE_CHECKS,
    Answer,
    Choice,
    Proposal,
    Question,
    Template,
    template_agrees,
)
from upwell.uses.shape import Shape
from upwell.uses.topics import UseTopic
from upwell.uses.watch import (
    ACKNOWLEDGEMENT_CHECKS,
    POST_CHECKS,
    Acknowledgement,
    Alert,
    Post,
)

__all__ = ["OUTPUTS", "SHAPES", "Said", "parse_output", "topic_of_use"]

Said = Template | Question | Choice | Post | Acknowledgement
"""What apps write."""
T = TypeVar("T")

SHAPES: Mapping[UseTopic, Shape] = {
    UseTopic.TEMPLATES: Shape(Template, TEMPLATE_CHECKS, template_agrees),
    UseTopic.QUESTIONS: Shape(Question, QUESTION_CHECKS),
    UseTopic.CHOICES: Shape(Choice, CHOICE_CHECKS),
    UseTopic.POSTS: Shape(Post, POST_CHECKS),
    UseTopic.ACKNOWLEDGEMENTS: Shape(Acknowledgement, ACKNOWLEDGEMENT_CHECKS),
}
OUTPUTS: Mapping[UseTopic, type] = {
    UseTopic.ANSWERS: Answer,
    UseTopic.PROPOSALS: Proposal,
    UseTopic.ALERTS: Alert,
}
_TOPICS: dict[type, UseTopic] = {shape.kind: topic for topic, shape in SHAPES.items()}


def topic_of_use(said: Said) -> UseTopic:
    """The topic that records of this type stand on."""
    return _TOPICS[type(said)]


def parse_output(kind: type[T], raw: bytes) -> T:
    """A record that Upwell published, of this type; fields of a newer version are left out. Raises
    `InvalidEventError`.
    """
    try:
        found: T = _known(kind, orjson.loads(raw))
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise InvalidEventError(
            "unreadable", f"the record is no {kind.__name__} of this version of Upwell ({exc!r})"
        ) from exc
    return found


def _known(kind: Any, value: dict[str, Any]) -> Any:
    hints = get_type_hints(kind)
    return kind(
        **{
            one.name: _typed(hints[one.name], value[one.name])
            for one in fields(kind)
            if one.name in value or one.default is MISSING
        }
    )


def _typed(hint: Any, value: Any) -> Any:
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if value is not None and origin in (types.UnionType, typing.Union):
        [hint] = [one for one in parts if one is not type(None)]
        return _typed(hint, value)
    if origin is tuple and value is not None:
        return tuple(_typed(parts[0], one) for one in value)
    if is_dataclass(hint) and value is not None:
        return _known(hint, value)
    return value
