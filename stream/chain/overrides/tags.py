"""Which segments a user is in: operators' words `tag_user` and `untag_user`, kept with the user's
state and forgotten with it. Of two on one segment the later by `ts` counts, in whatever order they
come.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from stream.chain.records import Arrival
from upwell.events import Control, ControlKind
from upwell.values import Tag, UserState

__all__ = ["MOST_TAGS", "segments_of", "tagged"]

MOST_TAGS = 64
"""Of one user, the latest."""
_TAGS = (ControlKind.TAG_USER, ControlKind.UNTAG_USER)


def segments_of(state: UserState) -> Collection[str]:
    """The segments that the user is in."""
    return [name for name, tag in state.tags.items() if tag.on]


def tagged(state: UserState, arrival: Arrival) -> UserState:
    """The state after an operator's word; itself where it is none on a segment, or an older one."""
    control = arrival.event
    if not isinstance(control, Control) or control.kind not in _TAGS or control.segment is None:
        return state
    on = control.kind is ControlKind.TAG_USER
    tag, before = Tag(control.ts, control.event_id, on), state.tags.get(control.segment)
    if before is not None and before.order >= tag.order:
        return state
    tags = {**state.tags, control.segment: tag}
    kept = sorted(tags.items(), key=lambda one: one[1].order)[-MOST_TAGS:]
    offset = max(arrival.offset, state.watermark.get(arrival.source, -1))
    return replace(state, tags=dict(kept), watermark={**state.watermark, arrival.source: offset})
