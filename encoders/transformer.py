"""Any Hugging Face encoder by name or path: its states pooled as its recipe says, unit length. It
knows nothing about items or users.

Sentence-BERT's way (Reimers and Gurevych, EMNLP 2019). Nothing is fetched unless told so: weights
come from a folder, a Python package or this machine's Hugging Face cache.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoConfig, AutoModel, AutoTokenizer
from transformers.utils import logging as transformers_logging

from encoders.device import Placement
from encoders.engines.padding import MAX_TOKENS, Tally, clean, in_batches, padded
from encoders.engines.pooling import Pooling
from encoders.engines.recipe import recipe_of
from encoders.folder import LOAD_FAULTS, checked_digest, first_line, hidden_size
from upwell.errors import EncoderError
from upwell.values import Vector

__all__ = ["TransformerEncoder", "described_size"]

_TOKENIZERS = ("tokenizer.json", "vocab.txt", "vocab.json", "*.model")


class TransformerEncoder:
    """The model in `folder`; `name` is for people and the revision. halved: it is the reading half
    of one that writes too. Safe to call from several threads, which share the weights.
    """

    def __init__(self, folder: Path, name: str, placement: Placement) -> None:
        self._placement = placement
        self._tokenizing = threading.Lock()
        self._tally = Tally()
        digest, recipe = checked_digest(folder, name)[:12], recipe_of(folder)
        self._revision = f"{name}@{digest}/{recipe.name}/{placement.precision}"
        _be_quiet()
        try:
            _check_tokenizer(folder)
            self._tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
            model = AutoModel.from_pretrained(
                str(folder), local_files_only=True, dtype=getattr(torch, placement.precision)
            )
            self._pooling = Pooling(_reading(model), recipe).to(placement.device).eval()
            self.halved = bool(model.config.is_encoder_decoder)
            self._dimension = hidden_size(folder)
            self._max_tokens = _longest_input(self._tokenizer, model.config, recipe.longest)
            probe = self.encode(["probe"])
        except (*LOAD_FAULTS, EncoderError) as exc:
            what = f"model {name!r} in {folder} cannot be loaded: {first_line(exc)}"
            raise EncoderError(
                f"{what}; is it the whole folder of a Hugging Face encoder?"
            ) from exc
        if not np.isfinite(probe).all():
            raise EncoderError(
                f"model {name!r} in {folder} cannot be loaded: its vectors are not finite; "
                "get its weights again"
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
            with torch.inference_mode():
                tokens = self.tokens(texts)
                return in_batches(tokens, self._pooled, self._dimension, self._tally)
        except (RuntimeError, MemoryError, TypeError, ValueError, IndexError) as exc:
            what = f"model {self._revision} failed on {len(texts)} texts: {first_line(exc)}"
            raise EncoderError(f"{what}; free memory, or set UPWELL_DEVICE=cpu") from exc

    def tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """Of each text, cut to what the model takes; a text without any counts as one of padding,
        so that it has a vector too.
        """
        if not texts:
            return []
        with self._tokenizing:  # it sets itself to the length at each call; takes 1.5 % of the time
            tokens = self._tokenizer(clean(texts), truncation=True, max_length=self._max_tokens)[
                "input_ids"
            ]
        return [one or [self.pad] for one in tokens]

    @property
    def pooled(self) -> Pooling:
        """Token ids and mask, both (B, L) int64, to unit vectors (B, d) float32."""
        return self._pooling

    def tokenizer_json(self) -> str | None:
        """All of the tokenizer, cutting included, as the library `tokenizers` reads it; None where
        it is one of Python's own.
        """
        backend = getattr(self._tokenizer, "backend_tokenizer", None)
        if backend is None:
            return None
        with self._tokenizing:
            backend.enable_truncation(max_length=self._max_tokens)
            backend.no_padding()
            return str(backend.to_str())

    @property
    def tokenizer(self) -> Any:
        """The model's own, as transformers has it."""
        return self._tokenizer

    @property
    def pad(self) -> int:
        """The token that fills a batch up."""
        return self._tokenizer.pad_token_id or 0

    def _pooled(self, tokens: Sequence[Sequence[int]]) -> Vector:
        ids, mask = (torch.from_numpy(one) for one in padded(tokens, self.pad))
        device = self._placement.device
        vectors: Vector = self._pooling(ids.to(device), mask.to(device)).cpu().numpy()
        return vectors


def described_size(folder: Path) -> int:
    """The length of a model's vectors, from its description alone, as transformers reads it.

    Raises `EncoderError`.
    """
    _be_quiet()
    try:
        return int(AutoConfig.from_pretrained(str(folder), local_files_only=True).hidden_size)
    except LOAD_FAULTS as exc:
        what = f"{folder / 'config.json'} does not say its hidden_size: {first_line(exc)}"
        raise EncoderError(f"{what}; is it the whole folder of a Hugging Face encoder?") from exc


def _check_tokenizer(folder: Path) -> None:
    """transformers makes an empty one where there is none, and every text would get the same
    vector.
    """
    if not any(next(folder.glob(pattern), None) for pattern in _TOKENIZERS):
        raise FileNotFoundError("tokenizer.json is missing")


def _be_quiet() -> None:
    """Faults come as `EncoderError`; transformers' own warnings and bars would break the progress
    display.
    """
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]


def _reading(model: Any) -> torch.nn.Module:
    """Of a model that reads and writes (T5's kind) the half that reads; none keeps states for words
    to come.
    """
    model.config.use_cache = False
    found: torch.nn.Module = model.get_encoder() if model.config.is_encoder_decoder else model
    return found


def _longest_input(tokenizer: Any, config: Any, longest: int | None) -> int:
    return min(
        longest or MAX_TOKENS,
        MAX_TOKENS,
        int(tokenizer.model_max_length),
        int(getattr(config, "max_position_embeddings", MAX_TOKENS)),
    )
