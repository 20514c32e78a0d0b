"""The encoder of the settings, whole: model, one thread in front of it, cache in front of that."""

from __future__ import annotations

import json

import torch

from encoders.cache import CachingEncoder
from encoders.device import choose_placement
from encoders.transformer import TransformerEncoder, find_model
from encoders.worker import EncoderWorker
from upwell.errors import EncoderError

__all__ = ["load_encoder", "model_dimension"]


def load_encoder(model: str, *, device: str = "auto", cache_entries: int = 100_000, threads: int = 1) -> CachingEncoder:
    """model: a name or a folder. Raises `EncoderError` where it is missing, torn or does not load.

    threads: of torch, in this process. More than the idle cores is a trap: with one core of two busy, two threads that wait for each
    other encoded 71 titles a second, one thread 976.
    """
    torch.set_num_threads(threads)
    folder = find_model(model)
    encoder = TransformerEncoder(folder, model.rpartition("/")[2], choose_placement(device))
    return CachingEncoder(EncoderWorker(encoder), cache_entries)


def model_dimension(model: str) -> int:
    """The length of a model's vectors, without loading it. Raises `EncoderError`."""
    config = find_model(model) / "config.json"
    try:
        return int(json.loads(config.read_text())["hidden_size"])
    except (OSError, ValueError, KeyError) as exc:
        raise EncoderError(f"model {model!r}: {config} does not say its hidden_size: is it a Hugging Face encoder's folder?") from exc
