"""A model small enough to be made anew for each test, and the one line of a fault."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from transformers import (
    BertConfig,
    BertModel,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedModel,
    T5Config,
    T5ForConditionalGeneration,
)

from encoders.folder import DEFAULT_MODEL, find_model
from upwell.errors import EncoderError

__all__ = [
    "POSITIONS",
    "TOKENIZER_FILES",
    "message",
    "openvino_computes",
    "tiny_model",
    "tiny_writer",
]

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
)
POSITIONS = 64
_MINILM = find_model(DEFAULT_MODEL)
openvino_computes = pytest.mark.skipif(
    "ONEDNN_MAX_CPU_ISA" in os.environ,
    reason="OpenVINO fails where ONEDNN_MAX_CPU_ISA holds its oneDNN back",
)


def tiny_model(folder: Path) -> Path:
    """A folder with a random BERT of 32 dimensions that takes 64 tokens, and MiniLM's tokenizer."""
    torch.manual_seed(7)
    config = BertConfig(
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=POSITIONS,
    )
    folder.mkdir()
    model = BertModel(config)  # type: ignore[no-untyped-call]
    weights = {name: value.contiguous() for name, value in model.state_dict().items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(
        json.dumps({**config.to_dict(), "architectures": ["BertModel"]})
    )
    return _with_tokenizer(folder)


def tiny_writer(folder: Path, kind: str) -> Path:
    """The same of a model that writes: `gpt2`, which reads forward only, or `t5`, which reads and
    writes.
    """
    torch.manual_seed(7)
    size = len(json.loads((_MINILM / "tokenizer.json").read_bytes())["model"]["vocab"])
    if kind == "gpt2":
        config = GPT2Config(vocab_size=size, n_embd=32, n_layer=1, n_head=2, n_positions=POSITIONS)
        model: PreTrainedModel = GPT2LMHeadModel(config)  # type: ignore[no-untyped-call]
    else:
        model = T5ForConditionalGeneration(
            T5Config(vocab_size=size, d_model=32, d_kv=8, d_ff=64, num_layers=1, num_heads=4)
        )
    model.save_pretrained(str(folder))
    return _with_tokenizer(folder)


def _with_tokenizer(folder: Path) -> Path:
    for name in TOKENIZER_FILES:
        shutil.copy(_MINILM / name, folder / name)
    return folder


def message(failing: Callable[[], object]) -> str:
    """What a person reads where the encoder fails: one line."""
    with pytest.raises(EncoderError) as error:
        failing()
    text = str(error.value)
    assert "\n" not in text
    return text
