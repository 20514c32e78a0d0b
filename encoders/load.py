"""The encoder of the settings, whole: model, one thread in front of it, what is kept of a catalogue
on disk, cache in front of all.
"""

from __future__ import annotations

import logging
from pathlib import Path

from encoders.cache import CachingEncoder
from encoders.folder import DEFAULT_MODEL, find_model, hidden_size, read_by
from encoders.kept import KeptVectors
from encoders.worker import EncoderWorker

__all__ = ["load_encoder", "model_dimension"]

log = logging.getLogger("upwell.encoder")


def load_encoder(
    model: str,
    *,
    device: str = "auto",
    cache_entries: int = 100_000,
    threads: int = 1,
    allow_download: bool = False,
    vectors: Path | None = None,
    vectors_bytes: int = 10**9,
) -> CachingEncoder:
    """model: a name or a folder. Raises `EncoderError` where it is missing, torn or does not load.
    Close it at the end.

    threads: that call the model, as `encoders.device.choose_threads` says.
    vectors: the folder where those of texts in bulk are kept, None for nowhere; vectors_bytes: how
    much of them, about.
    """
    import torch

    from encoders.device import choose_placement, choose_threads
    from encoders.transformer import TransformerEncoder

    placement = choose_placement(device)
    folder = find_model(model, allow_download=allow_download)
    torch.set_num_threads(1)
    encoder = TransformerEncoder(folder, _shown_name(model), placement)
    kept = None
    if vectors is not None:
        reads = f"{encoder.revision}/{read_by(folder)}"
        kept = KeptVectors(vectors, reads, encoder.dimension, vectors_bytes)
    count = choose_threads(threads, placement.device)
    log.info(
        "encoder %s by torch on %s, threads: %d, vectors of the catalogue on disk: %s",
        encoder.revision,
        placement.device,
        count,
        kept.path if kept is not None and kept.in_use else "off",
    )
    return CachingEncoder(EncoderWorker(encoder, threads=count), cache_entries, kept)


def model_dimension(model: str) -> int:
    """The length of a model's vectors, without loading it. Raises `EncoderError`."""
    return hidden_size(find_model(model))


def _shown_name(model: str) -> str:
    """The last part of a name or path.

    A folder of one's own that is called like the default need not have the default's weights.
    """
    folder = Path(model).expanduser()
    if not folder.is_dir():
        return model.rpartition("/")[2]
    folder = folder.resolve()
    return folder.name if folder.name != DEFAULT_MODEL else f"{folder.parent.name}/{folder.name}"
