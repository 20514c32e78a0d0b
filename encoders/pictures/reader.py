"""Pictures of items to vectors: had on a few threads, decoded and read by the model on the
caller's, what was read before taken from disk. One that cannot be had is a value with its reason.

It knows nothing about items; who calls it waits for `seconds` of fetching at most, and for the
model.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from hashlib import blake2b

import numpy as np
from PIL import Image

from encoders.kept import KeptVectors
from encoders.pictures.image import decoded
from encoders.pictures.model import PictureModel
from encoders.pictures.placing import Placing
from encoders.pictures.refused import RefusedError
from encoders.pictures.source import Source, read_picture
from upwell.values import LATER, PICTURE_REASONS, SeenPicture, Vector

__all__ = ["BATCH_SECONDS", "PictureReader"]

BATCH_SECONDS = 20.0
"""Of one call, what is not there by then comes later: well below what counts as a stall."""
THREADS = 8
READ, FROM_DISK = "read", "from_disk"
_KEY_BYTES = 16


class PictureReader:
    """The port `Pictures`. One thread calls it; `close` it at the end.

    placing: of what it reads among texts. kept: vectors on disk, None for none. most_pixels: of
    one picture. seconds: of fetching, in one call. counts: pictures since the start, `read` by the
    model, `from_disk`, or the reason why not.
    """

    def __init__(
        self,
        model: PictureModel,
        source: Source,
        placing: Placing,
        *,
        kept: KeptVectors | None = None,
        most_pixels: int = 25_000_000,
        seconds: float = BATCH_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._model = model
        self._source = source
        self._placing = placing
        self._kept = kept
        self._most_pixels = most_pixels
        self._seconds = seconds
        self._clock = clock
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="pictures")
        self.counts = Counter(dict.fromkeys((READ, FROM_DISK, *PICTURE_REASONS), 0))
        self.model = model.revision
        self.revision = f"{model.revision}/{placing.name}"

    def look(self, images: Sequence[str]) -> list[SeenPicture]:
        """As the port says. Raises `EncoderError` where the model fails."""
        until = self._clock() + self._seconds
        waiting = [self._pool.submit(read_picture, image, self._source) for image in images]
        had = [self._had(one, until) for one in waiting]
        seen = [one if isinstance(one, SeenPicture) else self._seen(one) for one in had]
        self.counts.update(one.reason for one in seen if one.reason)
        return seen

    def placed(self, text: Vector | None, picture: Vector) -> Vector:
        """As the port says."""
        return self._placing(text, picture)

    def words(self, texts: Sequence[str]) -> Vector | None:
        """(n, p) of texts where the picture model puts them; None where it reads none. Raises
        `EncoderError`.
        """
        return self._model.words(texts) if self._model.has_words else None

    def close(self) -> None:
        """What waits to be fetched is not fetched. May be called twice."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        if self._kept is not None:
            self._kept.close()

    def _had(self, waiting: Future[bytes], until: float) -> bytes | SeenPicture:
        try:
            return waiting.result(max(0.0, until - self._clock()))
        except RefusedError as exc:
            return SeenPicture(reason=exc.reason, detail=exc.detail)
        except Late:
            waiting.cancel()
            return SeenPicture(reason=LATER, detail="others took the time: it is read later")

    def _seen(self, raw: bytes) -> SeenPicture:
        key = blake2b(raw, digest_size=_KEY_BYTES, key=_key_of(self.model)).digest()
        content = blake2b(raw, digest_size=8).hexdigest()
        if self._kept is not None and (known := self._kept.read([key])):
            self.counts[FROM_DISK] += 1
            return SeenPicture(vector=_rounded(known[key]), content=content)
        try:
            image: Image.Image = decoded(raw, self._most_pixels)
        except RefusedError as exc:
            return SeenPicture(reason=exc.reason, detail=exc.detail)
        [vector] = self._model.encode([image])
        self.counts[READ] += 1
        if self._kept is not None:
            self._kept.write({key: vector})
        return SeenPicture(vector=_rounded(vector), content=content)


def _key_of(model: str) -> bytes:
    return blake2b(model.encode(), digest_size=16).digest()


def _rounded(vector: Vector) -> Vector:
    """As a store keeps it: half precision, a hundredth of a degree off at most."""
    return np.asarray(vector, np.float16).astype(np.float32)
