"""What the calls ask: the gateway's parts, made by `gateway.engine` on a broker, and in memory by
tests. It knows nothing about HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.edge.meter import Meter
from gateway.live import Hub
from gateway.ranks import Ranks
from gateway.review import Reviews
from gateway.topics.figures import Figures
from gateway.topics.letters import Letters
from gateway.topics.versions import Versions
from gateway.topics.words import Words
from gateway.users import Users, Worded

__all__ = ["Parts"]


@dataclass(frozen=True, slots=True)
class Parts:
    """warming: what is still read before anything is answered, None when all was. shortcomings: why
    the gateway is not ready; none where it is.
    """

    users: Users
    items: Ranks
    hub: Hub
    worded: Worded
    figures: Figures
    letters: Letters
    words: Words
    reviews: Reviews
    versions: Versions
    meter: Meter
    warming: Callable[[], str | None]
    shortcomings: Callable[[], Sequence[str]]
