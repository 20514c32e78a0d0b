"""The picture model of the settings, whole: where pictures may come from, the model, how they are
placed among texts, what is kept on disk. Nothing of it is imported where it is off.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from encoders.folder import find_model
from encoders.kept import KeptVectors
from upwell.errors import EncoderError
from upwell.settings import EncoderSettings, PictureSettings

if TYPE_CHECKING:
    from encoders.pictures.placing import PictureMap
    from encoders.pictures.reader import PictureReader
    from encoders.pictures.source import Source

__all__ = ["load_pictures", "picture_source"]

log = logging.getLogger("upwell.encoder")


def load_pictures(
    settings: PictureSettings,
    encoder: EncoderSettings,
    dimension: int,
    encoders: Collection[str],
    vectors: Path | None = None,
) -> PictureReader | None:
    """None where `UPWELL_IMAGE_ENCODER` is unset. dimension: of the texts' vectors. encoders: what
    decides the vectors of those that are, or were, in force here; a map must be fitted for one.
    vectors: the folder where those of pictures are kept, None for nowhere. Raises `EncoderError`.
    """
    if settings.model is None:
        return None
    if find_spec("PIL") is None:
        raise EncoderError(
            "UPWELL_IMAGE_ENCODER is set, and Pillow, which decodes pictures, is not installed: "
            "pip install 'upwell[images]'"
        )
    import torch

    from encoders.device import choose_placement
    from encoders.pictures.model import PictureModel
    from encoders.pictures.placing import Placing
    from encoders.pictures.reader import PictureReader

    torch.set_num_threads(1)
    folder = _folder(settings.model)
    model = PictureModel(folder, folder.resolve().name, choose_placement(encoder.device).device)
    shape = (model.dimension, dimension)
    placing = Placing(_map(settings.map, model.revision, shape, encoders), settings.weight)
    kept = None
    if vectors is not None:
        most = encoder.vectors_mb * 1_000_000
        kept = KeptVectors(vectors, f"pictures/{model.revision}", model.dimension, most)
    log.info("picture encoder %s, placed by %s", model.revision, placing.name)
    return PictureReader(
        model,
        picture_source(settings),
        placing,
        kept=kept,
        most_pixels=settings.pixels,
    )


def _folder(model: str) -> Path:
    try:
        return find_model(model)
    except EncoderError as exc:
        raise EncoderError(
            f"picture model {model!r} is neither a folder nor in this machine's Hugging Face "
            "cache: give the folder of a downloaded one in UPWELL_IMAGE_ENCODER (docs/pictures.md)"
        ) from exc


def picture_source(settings: PictureSettings) -> Source:
    """Where pictures may come from. Raises `EncoderError`."""
    from encoders.pictures.https import HttpsFetcher
    from encoders.pictures.source import Source

    root = settings.folder
    if root is not None and not root.is_dir():
        raise EncoderError(f"UPWELL_IMAGES is {root}: there is no such folder")
    hosts = [one.strip() for one in (settings.hosts or "").split(",") if one.strip()]
    fetch = HttpsFetcher(hosts, settings.seconds) if hosts else None
    return Source(root, fetch, settings.most_bytes)


def _map(
    path: Path | None, model: str, shape: tuple[int, int], encoders: Collection[str]
) -> PictureMap:
    from encoders.pictures.placing import read_map, rotation

    if path is None:
        log.info("no UPWELL_IMAGE_MAP: pictures are near pictures, and words do not find them")
        return rotation(*shape)
    found = read_map(path)
    if found.model != model or found.turn.shape != shape or found.encoder not in encoders:
        raise EncoderError(
            f"UPWELL_IMAGE_MAP {path} was fitted for the picture model {found.model} and the "
            f"encoder {found.encoder}, and these are {model} and {', '.join(sorted(encoders))}: "
            "fit it anew (`upwell pictures fit`)"
        )
    return found
