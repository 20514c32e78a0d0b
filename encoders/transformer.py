"""Any Hugging Face encoder by name or path: mean pooling over the words, unit length. It knows
nothing about items or users.

Sentence-BERT's recipe (Reimers and Gurevych, EMNLP 2019). Nothing is fetched unless told so:
weights come from a folder, a Python package or this machine's Hugging Face cache.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from transformers import AutoConfig, AutoModel, AutoTokenizer
from transformers.utils import logging as transformers_logging

from encoders.batching import token_batches
from encoders.device import Placement
from encoders.folder import DEFAULT_MODEL
from upwell.errors import EncoderError
from upwell.values import Vector

__all__ = ["MAX_TOKENS", "TransformerEncoder", "described_size"]

_MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_TOKENIZERS = ("tokenizer.json", "vocab.txt", "vocab.json", "*.model")

POOLING = "mean"  # part of the revision: change it with the way texts become vectors
TOKEN_BUDGET = 1_024  # padded tokens a batch; 512 and 2,048 are as fast, 8,192 loses a third
MAX_TOKENS = 256
MAX_CHARACTERS = (
    64 * MAX_TOKENS
)  # so that a text of megabytes is not tokenized to the end for its first 256 tokens

# What transformers and its tokenizers raise for a folder that is no encoder's.
_LOAD_FAULTS = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ImportError,
    RuntimeError,
    SafetensorError,
)


class TransformerEncoder:
    """The model in `folder`; `name` is for people and the revision. Safe to call from several
    threads, which share the weights.
    """

    def __init__(self, folder: Path, name: str, placement: Placement) -> None:
        self._placement = placement
        self._tokenizing = threading.Lock()
        precision = str(placement.dtype).removeprefix("torch.")
        self._revision = f"{name}@{_checked_digest(folder, name)[:12]}/{POOLING}/{precision}"
        _be_quiet()
        try:
            _check_tokenizer(folder)
            self._tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
            model = AutoModel.from_pretrained(
                str(folder), local_files_only=True, dtype=placement.dtype
            )
            self._model = model.to(placement.device).eval()
            self._dimension = int(self._model.config.hidden_size)
            self._max_tokens = _longest_input(self._tokenizer, self._model.config)
            probe = self.encode(["probe"])
        except (*_LOAD_FAULTS, EncoderError) as exc:
            what = f"model {name!r} in {folder} cannot be loaded: {_first_line(exc)}"
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

    def encode(self, texts: Sequence[str]) -> Vector:
        """(n, dimension) float32 of unit length; a text counts with its first 256 tokens. Raises
        `EncoderError`.
        """
        vectors = np.empty((len(texts), self._dimension), dtype=np.float32)
        if not texts:
            return vectors
        try:
            tokens = self._tokenized(texts)
            with torch.inference_mode():
                for batch in token_batches([len(one) for one in tokens], TOKEN_BUDGET):
                    vectors[batch] = self._pooled([tokens[index] for index in batch])
        except (RuntimeError, MemoryError, TypeError, ValueError, IndexError) as exc:
            what = f"model {self._revision} failed on {len(texts)} texts: {_first_line(exc)}"
            raise EncoderError(f"{what}; free memory, or set UPWELL_DEVICE=cpu") from exc
        return vectors

    def _tokenized(self, texts: Sequence[str]) -> list[list[int]]:
        """A lone surrogate counts as a question mark; a text without any token as one of padding,
        so that it has a vector too.
        """
        clean = [text[:MAX_CHARACTERS].encode("utf-8", "replace").decode() for text in texts]
        with self._tokenizing:  # it sets itself to the length at each call; takes 1.5 % of the time
            tokens = self._tokenizer(clean, truncation=True, max_length=self._max_tokens)[
                "input_ids"
            ]
        return [one or [self._tokenizer.pad_token_id or 0] for one in tokens]

    def _pooled(self, tokens: Sequence[Sequence[int]]) -> Vector:
        longest = max(len(one) for one in tokens)
        ids = torch.full(
            (len(tokens), longest), self._tokenizer.pad_token_id or 0, dtype=torch.long
        )  # (B, L)
        mask = torch.zeros((len(tokens), longest), dtype=torch.long)  # (B, L)
        for row, one in enumerate(tokens):
            ids[row, : len(one)] = torch.tensor(one)
            mask[row, : len(one)] = 1
        ids, mask = ids.to(self._placement.device), mask.to(self._placement.device)
        states = self._model(
            input_ids=ids, attention_mask=mask
        ).last_hidden_state.float()  # (B, L, d)
        weights = mask.unsqueeze(-1).float()  # (B, L, 1)
        mean = (states * weights).sum(dim=1) / weights.sum(dim=1)  # (B, d)
        pooled: Vector = torch.nn.functional.normalize(mean, dim=1).cpu().numpy()
        return pooled


def described_size(folder: Path) -> int:
    """The length of a model's vectors, from its description alone, as transformers reads it.

    Raises `EncoderError`.
    """
    _be_quiet()
    try:
        return int(AutoConfig.from_pretrained(str(folder), local_files_only=True).hidden_size)
    except _LOAD_FAULTS as exc:
        what = f"{folder / 'config.json'} does not say its hidden_size: {_first_line(exc)}"
        raise EncoderError(f"{what}; is it the whole folder of a Hugging Face encoder?") from exc


def _checked_digest(folder: Path, name: str) -> str:
    """sha256 of the weights (of their digests where there are several files); the default's is
    known and must fit.
    """
    files = sorted(folder.glob("model*.safetensors"))
    if not files:
        raise EncoderError(
            f"model {name!r}: {folder / 'model.safetensors'} is missing; give the folder of "
            "a model with safetensors weights"
        )
    digests = [_file_digest(file) for file in files]
    digest = digests[0] if len(digests) == 1 else sha256("\n".join(digests).encode()).hexdigest()
    if name == DEFAULT_MODEL and digest != _MINILM_SHA256:
        raise EncoderError(
            f"model {name!r}: {files[0]} has sha256 {digest[:12]}…, not "
            f"{_MINILM_SHA256[:12]}…: install the package again"
        )
    return digest


def _check_tokenizer(folder: Path) -> None:
    """transformers makes an empty one where there is none, and every text would get the same
    vector.
    """
    if not any(next(folder.glob(pattern), None) for pattern in _TOKENIZERS):
        raise FileNotFoundError("tokenizer.json is missing")


def _file_digest(file: Path) -> str:
    try:
        with file.open("rb") as weights:
            return file_digest(weights, "sha256").hexdigest()
    except OSError as exc:
        raise EncoderError(
            f"{file} cannot be read: {exc.strerror}; check its owner and mode"
        ) from exc


def _be_quiet() -> None:
    """Faults come as `EncoderError`; transformers' own warnings and bars would break the progress
    display.
    """
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]


def _longest_input(tokenizer: Any, config: Any) -> int:
    return min(
        MAX_TOKENS,
        int(tokenizer.model_max_length),
        int(getattr(config, "max_position_embeddings", MAX_TOKENS)),
    )


def _first_line(exc: Exception) -> str:
    return next(iter(str(exc).strip().splitlines()), "") or type(exc).__name__
