"""Why a picture cannot be had: an exception of this room, which never leaves it. `reader` tells it
as a value, and the item goes on without its picture.
"""

from __future__ import annotations

__all__ = ["RefusedError"]


class RefusedError(Exception):
    """reason: one of `upwell.values.PICTURE_REASONS`. The text says what is wrong and what would be
    right; nothing of the picture, and of an address its host alone.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
