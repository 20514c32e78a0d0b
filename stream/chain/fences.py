"""Where users were forgotten: what the broker appended before that does not count any more,
whenever it is delivered.

A fence is needed as long as older events may still come: again after a crash, or late from a topic
that lags behind `controls`. Nothing of it is stored with the user; a process that starts reads
`controls` again. It knows nothing about stores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from stream.chain.fold import empty_state
from stream.chain.privacy import Pseudonymizer
from stream.chain.validate import decode
from upwell.events import Control, Topic
from upwell.values import UserState

if TYPE_CHECKING:
    from stream.chain.records import BroadcastRecord

__all__ = ["Fence", "begun_after", "fences_on_controls", "newest_fences"]


@dataclass(frozen=True, slots=True, order=True)
class Fence:
    """appended_ms: when the broker appended the request to forget, UTC ms; source, offset: its
    `topic-partition` and offset there.
    """

    appended_ms: int
    source: str
    offset: int

    def hides(self, appended_ms: int) -> bool:
        """Whether what was appended then is forgotten; the millisecond itself counts as before."""
        return appended_ms <= self.appended_ms


def newest_fences(*known: Mapping[str, Fence]) -> dict[str, Fence]:
    """Of each user the newest fence in any of them."""
    newest: dict[str, Fence] = {}
    for fences in known:
        for user, fence in fences.items():
            newest[user] = max(fence, newest.get(user, fence))
    return newest


def begun_after(state: UserState, fence: Fence | None) -> UserState:
    """`state` where it began after the fence, else a fresh one that says so in its watermark."""
    if fence is None or state.watermark.get(fence.source, -1) >= fence.offset:
        return state
    return replace(
        empty_state(state.user, len(state.intent)), watermark={fence.source: fence.offset}
    )


def fences_on_controls(
    records: Iterable[BroadcastRecord],
    pseudonymizer: Pseudonymizer,
    partition_of: Callable[[bytes], int],
) -> dict[str, Fence]:
    """Of the requests to forget among records of `controls`.

    One on another partition than its user's counts where it is sent on to.
    """
    asked = []
    for record in records:
        event = decode(
            Topic.CONTROLS, record.partition, record.offset, record.value, record.appended_ms
        )
        user_id = event.user_id if isinstance(event, Control) else None
        if user_id is not None and partition_of(user_id.encode()) == record.partition:
            fence = Fence(record.appended_ms, f"{Topic.CONTROLS}-{record.partition}", record.offset)
            asked.append({pseudonymizer.pseudonym(user_id): fence})
    return newest_fences(*asked)
