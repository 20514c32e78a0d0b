"""The port `Pictures` for tests: what an address is called decides what it shows."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

from tests.stream.chain.chain import ENCODER
from upwell.values import GONE_SCHEME, LATER, SeenPicture, Vector

__all__ = ["Shown"]


class Shown:
    """Places a picture where the hashing encoder puts its address. `looked`: what it was asked,
    call by call. Addresses that begin with `no` cannot be had, with `late` are had later.
    """

    def __init__(self, model: str = "m.1", placed: str = "p") -> None:
        self.model = model
        self.revision = f"{model}/{placed}"
        self.share = 0.5
        self.looked: list[list[str]] = []

    def look(self, images: Sequence[str]) -> list[SeenPicture]:
        self.looked.append(list(images))
        return [self._seen(one) for one in images]

    def placed(self, text: Vector | None, picture: Vector) -> Vector:
        both = picture if text is None else (1 - self.share) * text + self.share * picture
        return np.asarray(both / np.linalg.norm(both), np.float32)

    def _seen(self, image: str) -> SeenPicture:
        if image.startswith("no"):
            return SeenPicture(reason="missing", detail="there is none")
        if image.startswith("late"):
            return SeenPicture(reason=LATER, detail="no time")
        if image.startswith(GONE_SCHEME):
            return SeenPicture(reason="gone", detail="not kept")
        vector = ENCODER.encode([image])[0].astype(np.float16).astype(np.float32)
        content = blake2b(image.encode(), digest_size=8).hexdigest()
        return SeenPicture(vector=vector, content=content)
