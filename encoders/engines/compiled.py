"""A language model compiled by OpenVINO for this machine's processor: the same vectors as torch's,
sooner.

Optional: `pip install upwell[openvino]`. `encoders.load` decides whether it is taken.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from encoders.engines.converted import (
    PROBES,
    Converted,
    EngineError,
    convert_apart,
    converted,
    openvino_alone,
)
from encoders.engines.padding import Tally, clean, in_batches, padded
from encoders.engines.recipe import recipe_of
from encoders.engines.weights import TOGETHER
from encoders.folder import checked_digest
from upwell.errors import EncoderError
from upwell.values import Vector

__all__ = ["LEAST_COSINE", "CompiledEncoder", "compiled_encoder"]

LEAST_COSINE = 0.995
"""To torch's vectors of the probes in float32; below, the engine is refused."""
_HINTS = {"float32": "f32", "bfloat16": "bf16", "int8": "f32"}
_PRODUCTS = {"int8": {"DYNAMIC_QUANTIZATION_GROUP_SIZE": TOGETHER}}


class CompiledEncoder:
    """precision: `float32`, `bfloat16`, or `int8`: products of 8 bits where the processor has them
    (VNNI), else of float32 with weights of 8 bits. threads: that call it at the same time, each
    with a request and one thread of its own, as `encoders.device.choose_threads` says why.

    Safe to call from several threads. Raises `RuntimeError` where OpenVINO cannot take the model.
    """

    def __init__(self, source: Converted, revision: str, precision: str, threads: int) -> None:
        self._revision = revision
        self._pad = source.pad
        self._tokenizer = Tokenizer.from_str(source.tokenizer)
        self._dimension = int(source.probes.shape[1])
        self._own = threading.local()
        self._tally = Tally()
        self._model: Any = (
            openvino_alone()
            .Core()
            .compile_model(
                source.model,
                "CPU",
                {
                    "INFERENCE_PRECISION_HINT": _HINTS[precision],
                    "NUM_STREAMS": threads,
                    "INFERENCE_NUM_THREADS": threads,
                    "ENABLE_CPU_PINNING": False,  # a core that something else needs is left
                    **_PRODUCTS.get(precision, {}),
                },
            )
        )

    @property
    def dimension(self) -> int:
        return self._dimension

    @property
    def revision(self) -> str:
        return self._revision

    @property
    def tokens_read(self) -> int:
        """Since the start, those of padding not counted."""
        return self._tally.tokens

    def encode(self, texts: Sequence[str]) -> Vector:
        """(n, dimension) float32 of unit length; a text counts with its first 256 tokens. Raises
        `EncoderError`.
        """
        try:
            return in_batches(self._tokenized(texts), self._pooled, self._dimension, self._tally)
        except (RuntimeError, MemoryError, TypeError, ValueError, IndexError) as exc:
            what = f"model {self._revision} failed on {len(texts)} texts: {exc}".splitlines()[0]
            raise EncoderError(f"{what}; free memory, or set UPWELL_ENCODER_ENGINE=torch") from exc

    def _tokenized(self, texts: Sequence[str]) -> list[list[int]]:
        """A text without any token counts as one of padding, so that it has a vector too."""
        return [one.ids or [self._pad] for one in self._tokenizer.encode_batch(clean(texts))]

    def _pooled(self, tokens: Sequence[Sequence[int]]) -> Vector:
        if not hasattr(self._own, "request"):
            self._own.request = self._model.create_infer_request()
        self._own.request.infer(list(padded(tokens, self._pad)), share_inputs=True)
        vectors: Vector = self._own.request.get_output_tensor(0).data
        return vectors  # read before this thread's next request


def compiled_encoder(
    folder: Path, name: str, precision: str, threads: int, cache: Path | None
) -> CompiledEncoder:
    """The model in `folder`; `name` is for people and the revision. precision: as of
    `CompiledEncoder`. cache: where the converted
    model is kept, None for nowhere.

    Raises `EncoderError`: it is no model's folder; `EngineError`: OpenVINO is missing or cannot
    take it, or its vectors are not torch's.
    """
    digest, how = checked_digest(folder, name)[:12], recipe_of(folder).name
    revision = f"{name}@{digest}/{how}/openvino-{precision}"
    int8 = precision == "int8"
    try:
        if cache is not None:
            convert_apart(folder, name, cache, int8)
        source = converted(folder, name, cache, int8)
        encoder = CompiledEncoder(source, revision, precision, threads)
    except ImportError as exc:
        raise EngineError(f"OpenVINO is not installed ({exc})") from exc
    except RuntimeError as exc:
        said = next(iter(str(exc).strip().splitlines()), type(exc).__name__)
        raise EngineError(f"OpenVINO cannot take model {name!r}: {said}") from exc
    try:
        cosines = (encoder.encode(PROBES) * source.probes).sum(axis=1)
    except EncoderError as exc:
        raise EngineError(f"OpenVINO cannot compute model {name!r} here: {exc}") from exc
    if not np.all(cosines >= LEAST_COSINE):
        raise EngineError(
            f"OpenVINO's vectors of model {name!r} are not torch's: cosine {cosines.min():.4f}"
        )
    return encoder
