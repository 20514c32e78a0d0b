"""Where users were forgotten: what the broker appended before that does not count any more,
whenever it is delivered.

A fence is needed as long as older events may still come: again after a crash, late from a topic
that lags behind `controls`, or sent on by `rerouted` just before their own topic let them go. So it
goes once it is twice as old as anything that an input topic holds, `controls` among them: then
nothing that it hides can come. Nothing of it is stored with the user; a process that starts reads
`controls` again, and the ledger of erasures, which is longer. It knows nothing about stores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from stream.chain.fold import empty_state
from stream.chain.privacy import Pseudonymizer
from stream.chain.sources import Source
from stream.chain.validate import decode
from upwell.events import Control, ControlKind, Topic
from upwell.values import UserState

if TYPE_CHECKING:
    from stream.chain.effects import Forgotten
    from stream.chain.records import BroadcastRecord

__all__ = [
    "Fence",
    "Fences",
    "begun_after",
    "fences_carried_out",
    "fences_on_controls",
    "newest_fences",
]

FEWEST = 1_024
DAY_MS = 86_400_000
"""Clocks of brokers, and what a worker had fetched before it went from its topic."""


@dataclass(frozen=True, slots=True, order=True)
class Fence:
    """appended_ms: when the broker appended the request to forget, UTC ms; source, offset: its
    `Source` and offset there. removes: a state that began before goes; False where that was carried
    out, so that one which came since is let be. astray_ms: of the newest request on another
    partition than its user's: it hides, and lets the state be, which begins anew where the request
    is sent on to.
    """

    appended_ms: int
    source: str
    offset: int
    removes: bool = True
    astray_ms: int = -1

    @classmethod
    def astray(cls, appended_ms: int) -> Fence:
        """Of such a request alone: every state is beyond it."""
        return cls(-1, "", -1, astray_ms=appended_ms)

    @property
    def until_ms(self) -> int:
        """What was appended until then is forgotten, UTC ms."""
        return max(self.appended_ms, self.astray_ms)

    def hides(self, appended_ms: int) -> bool:
        """Whether what was appended then is forgotten; the millisecond itself counts as before."""
        return appended_ms <= self.until_ms

    def joined(self, other: Fence) -> Fence:
        """Both as one."""
        return replace(max(self, other), astray_ms=max(self.astray_ms, other.astray_ms))


def newest_fences(*known: Mapping[str, Fence]) -> dict[str, Fence]:
    """Of each user the newest fence in any of them."""
    newest: dict[str, Fence] = {}
    for fences in known:
        for user, fence in fences.items():
            newest[user] = fence.joined(newest.get(user, fence))
    return newest


class Fences:
    """The fences of a worker, by pseudonym.

    oldest_ms: asked, each time they have doubled since the last look, when the oldest record that
    an input topic still holds was appended (UTC ms, None where there is none): memory follows the
    topics' retention, and a look is paid by the fences that came since. also: is told until when
    (UTC ms) each user is forgotten.
    """

    def __init__(
        self,
        oldest_ms: Callable[[], int | None],
        also: Callable[[Mapping[str, int]], None] = lambda until: None,
    ) -> None:
        self._oldest_ms = oldest_ms
        self._also = also
        self._newest: dict[str, Fence] = {}
        self._look_at = FEWEST

    def __len__(self) -> int:
        return len(self._newest)

    def of(self, users: Iterable[str]) -> dict[str, Fence]:
        """Those of `users` that there are."""
        return {user: self._newest[user] for user in users if user in self._newest}

    def add(self, fences: Mapping[str, Fence], now_ms: int = 0) -> None:
        """Of each user the newest counts. now_ms: when their states went, UTC ms; 0 where they did
        not now.
        """
        if fences:
            self._also({user: max(one.until_ms, now_ms) for user, one in fences.items()})
        for user, fence in fences.items():
            self._newest[user] = fence.joined(self._newest.get(user, fence))
        if len(self) >= self._look_at:
            self._drop()
            self._look_at = max(FEWEST, 2 * len(self))

    def _drop(self) -> None:
        oldest = self._oldest_ms()
        if oldest is not None:
            newest = max(fence.until_ms for fence in self._newest.values())
            reach = max(newest - oldest, 0)
            self._newest = {
                user: fence
                for user, fence in self._newest.items()
                if fence.until_ms >= oldest - reach - DAY_MS
            }


def begun_after(state: UserState, fence: Fence | None) -> UserState:
    """`state` where it began after the fence, else a fresh one that says so in its watermark."""
    if fence is None or not fence.removes:
        return state
    if state.watermark.get(fence.source, -1) >= fence.offset:
        return state
    return replace(
        empty_state(state.user, len(state.intent)), watermark={fence.source: fence.offset}
    )


def fences_on_controls(
    records: Iterable[BroadcastRecord],
    pseudonymizer: Pseudonymizer,
    partition_of: Callable[[bytes], int],
    incarnation: str = "",
) -> dict[str, Fence]:
    """Of the requests to forget among records of `controls`, a topic of this incarnation.

    One on another partition than its user's is astray (`Fence`).
    """
    asked = []
    for record in records:
        event = decode(
            Topic.CONTROLS, record.partition, record.offset, record.value, record.appended_ms
        )
        user_id = (
            event.user_id
            if isinstance(event, Control) and event.kind is ControlKind.FORGET_USER
            else None
        )
        if user_id is not None:
            fence = Fence.astray(record.appended_ms)
            if partition_of(user_id.encode()) == record.partition:
                source = str(Source(Topic.CONTROLS, incarnation, record.partition))
                fence = Fence(record.appended_ms, source, record.offset)
            asked.append({pseudonymizer.pseudonym(user_id): fence})
    return newest_fences(*asked)


def fences_carried_out(ledger: Iterable[Forgotten]) -> dict[str, Fence]:
    """Of the erasures that were carried out: they hide what is older, and let states be."""
    return newest_fences(
        *(
            {one.user: Fence(one.appended_ms, one.source, one.offset, removes=False)}
            for one in ledger
        )
    )
