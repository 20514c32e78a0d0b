"""The head of masked-language modelling over an encoder: that of the model's weights, or a new one.
It is trained beside the encoder and not kept.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForMaskedLM

from encoders.transformer import TransformerEncoder
from upwell.errors import EncoderError

__all__ = ["masked_head"]


def masked_head(folder: Path, base: TransformerEncoder) -> tuple[torch.nn.Module, bool]:
    """States (n, d) to logits (n, words), the decoder tied to the encoder's word embeddings; and
    whether its weights were in the model's folder, else it is new. Raises `EncoderError` for a
    family without such a head.
    """
    if base.tokenizer.mask_token_id is None:
        raise EncoderError(f"the tokenizer in {folder} has no mask token: take --mlm 0")
    try:
        model, info = AutoModelForMaskedLM.from_pretrained(
            str(folder), local_files_only=True, dtype=torch.float32, output_loading_info=True
        )
    except ValueError as exc:
        raise EncoderError(
            f"the model in {folder} is of a family without masked-language modelling: take --mlm 0"
        ) from exc
    heads = [child for name, child in model.named_children() if name != model.base_model_prefix]
    if len(heads) != 1:
        raise EncoderError(
            f"{type(model).__name__} has no head of its own that could be shared: take --mlm 0"
        )
    encoder: Any = base.pooled.model
    words = encoder.get_input_embeddings().weight
    model.get_output_embeddings().weight = words
    own = {name for name, _ in model.named_parameters() if name in set(info["missing_keys"])}
    return heads[0].to(words.device), not own
