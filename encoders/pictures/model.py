"""Any Hugging Face model that reads pictures, by folder: CLIP's kind by its own projection, any
other by what it pools itself, else by its first token (transformers) or its mean (convolutions).
Unit length. It knows nothing about items.

One picture goes through it at a time, in float32: its vector has the same bits whatever came with
it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from transformers import AutoModel, AutoTokenizer
from transformers.models.auto.image_processing_auto import AutoImageProcessor
from transformers.utils import logging as transformers_logging

from encoders.folder import LOAD_FAULTS, checked_digest, first_line, read_by
from upwell.errors import EncoderError
from upwell.values import Vector

__all__ = ["PictureModel"]

_PROBE = Image.new("RGB", (64, 48), (200, 120, 40))
_READ_FAULTS = (RuntimeError, MemoryError, TypeError, ValueError, LookupError)


class PictureModel:
    """The model in `folder`; `name` is for people and the revision. device: `cpu` or `cuda`.

    Raises `EncoderError` where it does not load, or its weights do not cover what makes a vector.
    """

    def __init__(self, folder: Path, name: str, device: str) -> None:
        self._device = device
        self._folder = folder
        self._tokenizer: Any = None
        self.name = name
        self.revision = f"{checked_digest(folder, name)[:12]}.{read_by(folder)[:8]}"
        transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        where = str(folder)
        try:
            self._processor = AutoImageProcessor.from_pretrained(  # type: ignore[no-untyped-call]
                where, local_files_only=True, backend="pil"
            )
            model, told = AutoModel.from_pretrained(
                where, local_files_only=True, dtype=torch.float32, output_loading_info=True
            )
            self._model = model.to(device).eval()
            self._pooled = not _unread(told["missing_keys"], name)
            probe = self.encode([_PROBE])
        except (*LOAD_FAULTS, EncoderError) as exc:
            raise EncoderError(
                f"picture model {name!r} in {folder} cannot be loaded: {first_line(exc)}; is it "
                "the whole folder of a Hugging Face model that reads pictures?"
            ) from exc
        if not np.isfinite(probe).all():
            raise EncoderError(f"picture model {name!r} in {folder}: its vectors are not finite")
        self.dimension = probe.shape[1]

    def encode(self, images: Sequence[Image.Image]) -> Vector:
        """(n, p) float32 of unit length, of pictures in RGB. Raises `EncoderError`."""
        try:
            with torch.inference_mode():
                rows = [self._vector(image) for image in images]
        except _READ_FAULTS as exc:
            raise EncoderError(
                f"picture model {self.revision} failed: {first_line(exc)}; free memory, or set "
                "UPWELL_DEVICE=cpu"
            ) from exc
        return np.stack(rows) if rows else np.zeros((0, self.dimension), np.float32)

    @property
    def has_words(self) -> bool:
        """Whether it reads texts too, into the same space (CLIP, SigLIP)."""
        return hasattr(self._model, "get_text_features")

    def words(self, texts: Sequence[str]) -> Vector:
        """(n, p) float32 of unit length: texts where the model puts what is written of pictures.
        Raises `EncoderError`.
        """
        try:
            if self._tokenizer is None:
                self._tokenizer = AutoTokenizer.from_pretrained(
                    str(self._folder), local_files_only=True
                )
            longest = self._model.config.text_config.max_position_embeddings
            with torch.inference_mode():
                rows = [self._said(text, longest) for text in texts]
        except (*LOAD_FAULTS, *_READ_FAULTS) as exc:
            raise EncoderError(
                f"picture model {self.revision} cannot read texts: {first_line(exc)}; its folder "
                "needs the tokenizer too"
            ) from exc
        return np.stack(rows)

    def _vector(self, image: Image.Image) -> Vector:
        given = self._processor(images=image, return_tensors="pt")
        pixels = given["pixel_values"].to(self._device)
        if hasattr(self._model, "get_image_features"):
            return _unit(_pooler(self._model.get_image_features(pixel_values=pixels)))
        out = self._model(pixel_values=pixels)
        found = getattr(out, "image_embeds", None)
        if found is None and self._pooled:
            found = getattr(out, "pooler_output", None)
        if found is None:
            states = out.last_hidden_state
            found = states.mean(dim=(2, 3)) if states.ndim == 4 else states[:, 0]
        return _unit(found)

    def _said(self, text: str, longest: int) -> Vector:
        given = self._tokenizer(
            text, padding="max_length", truncation=True, max_length=longest, return_tensors="pt"
        )
        ids = {name: one.to(self._device) for name, one in given.items()}
        return _unit(_pooler(self._model.get_text_features(**ids)))


def _unread(missing: Sequence[str], name: str) -> bool:
    """Whether the folder lacks the weights of what pools, which was then drawn by lot; the first
    token serves instead. Raises `EncoderError` where it lacks more.
    """
    more = [one for one in missing if "pooler" not in one and "position_ids" not in one]
    if more:
        raise EncoderError(f"its weights lack {sorted(more)[0]} and {len(more) - 1} more")
    return any("pooler" in one for one in missing)


def _pooler(out: Any) -> torch.Tensor:
    found: torch.Tensor = out if isinstance(out, torch.Tensor) else out.pooler_output
    return found


def _unit(found: torch.Tensor) -> Vector:
    """(1, …) to (p,)."""
    vector = found[0].flatten().float().cpu().numpy().astype(np.float64)
    length = float(np.linalg.norm(vector))
    return np.asarray(vector / length if length > 0.0 else vector, np.float32)
