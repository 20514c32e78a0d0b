"""The encoder of the settings, whole: model, one thread in front of it, what is kept of a catalogue
on disk, cache in front of all.
"""

from __future__ import annotations

import logging
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from encoders.adapt.alignment import aligned_revision, read_alignment
from encoders.cache import CachingEncoder
from encoders.engines.recipe import recipe_of
from encoders.folder import DEFAULT_MODEL, checked_digest, find_model, hidden_size, read_by
from encoders.kept import KeptVectors
from encoders.worker import EncoderWorker
from upwell.errors import EncoderError
from upwell.ports import Encoder
from upwell.system.files import cache_folder

if TYPE_CHECKING:
    from encoders.device import Placement

__all__ = ["load_encoder", "model_dimension", "model_revision"]

log = logging.getLogger("upwell.encoder")


def load_encoder(
    model: str,
    *,
    device: str = "auto",
    cache_entries: int = 100_000,
    engine: str = "auto",
    threads: int = 1,
    allow_download: bool = False,
    vectors: Path | None = None,
    vectors_bytes: int = 10**9,
    aligned: bool = True,
) -> CachingEncoder:
    """model: a name or a folder. Raises `EncoderError` where it is missing, torn or does not load.
    Close it at the end.

    engine: `torch`, `openvino`, `openvino-int8` (weights of 8 bits), or `auto`: OpenVINO where it
    is installed, the CPU computes, and the vectors come out as torch's, in 8 bits where
    `encoders.device.choose_int8` says so. threads: that call the model, as
    `encoders.device.choose_threads` says.
    vectors: the folder where those of texts in bulk are kept, None for nowhere; vectors_bytes: how
    much of them, about. aligned: as the folder's alignment says, where it has one.
    """
    from encoders.device import choose_placement, choose_threads

    placement = choose_placement(device)
    folder = find_model(model, allow_download=allow_download)
    alignment = read_alignment(folder) if aligned else None
    count = choose_threads(threads, placement.device)
    encoder, name = _by_engine(engine, folder, _shown_name(model), placement, count)
    kept = None
    if vectors is not None:
        reads = f"{encoder.revision}/{read_by(folder)}"
        kept = KeptVectors(vectors, reads, encoder.dimension, vectors_bytes)
    log.info(
        "encoder %s by %s on %s, threads: %d, vectors of the catalogue on disk: %s",
        aligned_revision(encoder.revision, alignment),
        name,
        placement.device,
        count,
        kept.path if kept is not None and kept.in_use else "off",
    )
    return CachingEncoder(EncoderWorker(encoder, threads=count), cache_entries, kept, alignment)


def _by_engine(
    engine: str, folder: Path, name: str, placement: Placement, threads: int
) -> tuple[Encoder, str]:
    """The model in the engine that is wanted, and which that is. The one place that chooses.

    What keeps `auto` from OpenVINO is said once.
    """
    if engine.startswith("openvino") and placement.device != "cpu":
        raise EncoderError(
            f"UPWELL_ENCODER_ENGINE={engine} computes on the CPU, not on {placement.device}: set "
            "UPWELL_DEVICE=cpu, or UPWELL_ENCODER_ENGINE=auto"
        )
    if engine != "torch" and placement.device == "cpu":
        if engine == "auto" and find_spec("openvino") is None:
            log.info("OpenVINO is not installed: pip install upwell[openvino] encodes faster here")
        else:
            from encoders.engines.converted import EngineError

            try:
                return _compiled(engine, folder, name, placement, threads), "OpenVINO"
            except EngineError as exc:
                if engine != "auto":
                    raise EncoderError(
                        f"{exc}; pip install upwell[openvino], or set UPWELL_ENCODER_ENGINE=torch"
                    ) from exc
                log.warning("%s: torch encodes", exc)
    import torch

    from encoders.transformer import TransformerEncoder

    torch.set_num_threads(1)
    return TransformerEncoder(folder, name, placement), "torch"


def _compiled(engine: str, folder: Path, name: str, placement: Placement, threads: int) -> Encoder:
    """In 8 bits where that is wanted, or `auto` finds that it is faster and near enough."""
    from encoders.device import choose_int8
    from encoders.engines.compiled import compiled_encoder
    from encoders.engines.converted import EngineError

    try:
        cache = cache_folder() / "engines"
    except RuntimeError:  # a user without a home, as some containers have
        cache = None
    if engine == "openvino-int8":
        return compiled_encoder(folder, name, "int8", threads, cache)
    if engine == "auto" and choose_int8(placement):
        try:
            return compiled_encoder(folder, name, "int8", threads, cache)
        except EngineError as exc:
            wider = compiled_encoder(folder, name, placement.precision, threads, cache)
            log.warning("%s: computed in %s, not in 8 bits", exc, placement.precision)
            return wider
    return compiled_encoder(folder, name, placement.precision, threads, cache)


def model_dimension(model: str) -> int:
    """The length of a model's vectors, without loading it. Raises `EncoderError`."""
    return hidden_size(find_model(model))


def model_revision(model: str) -> str:
    """The revision of a model, without its precision and without loading it: what decides its
    vectors. Raises `EncoderError`.
    """
    folder, name = find_model(model), _shown_name(model)
    revision = f"{name}@{checked_digest(folder, name)[:12]}/{recipe_of(folder).name}/"
    return aligned_revision(revision, read_alignment(folder))


def _shown_name(model: str) -> str:
    """The last part of a name or path.

    A folder of one's own that is called like the default need not have the default's weights.
    """
    folder = Path(model).expanduser()
    if not folder.is_dir():
        return model.rpartition("/")[2]
    folder = folder.resolve()
    return folder.name if folder.name != DEFAULT_MODEL else f"{folder.parent.name}/{folder.name}"
