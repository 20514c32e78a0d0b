"""Which keys were seen lately: bounded, the longest unseen make room."""

from __future__ import annotations

from collections import OrderedDict

__all__ = ["MOST", "Keys"]

MOST = 50_000


class Keys:
    """times: UTC ms when each was last seen, the longest unseen first."""

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self.times: OrderedDict[int, int] = OrderedDict()

    def seen(self, key: int, ts: int, window_ms: int) -> bool:
        """Whether it was within the window around `ts`; notes that it is now."""
        before = self.times.get(key)
        found = before is not None and abs(ts - before) < window_ms
        self.times[key] = ts if before is None or not found else max(ts, before)
        self.times.move_to_end(key)
        if len(self.times) > self.most:
            self.times.popitem(last=False)
        return found

    def holds(self, key: int) -> bool:
        """Whether it is known, however old."""
        return key in self.times
