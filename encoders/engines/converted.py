"""A model as OpenVINO takes it, made from the one that torch loads and kept in the cache of this
machine's user: the second start needs neither the weights in torch nor its tokenizer.
"""

from __future__ import annotations

import importlib.metadata
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from dataclasses import dataclass, replace
from hashlib import blake2b, file_digest
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from encoders.engines.recipe import recipe_of
from encoders.engines.weights import in_int8
from encoders.folder import checked_digest, read_by
from upwell.errors import EncoderError
from upwell.values import Vector

__all__ = ["PROBES", "Converted", "EngineError", "convert_apart", "converted", "openvino_alone"]

PROBES = (
    "Toy Story (1995). Adventure, Animation, Children, Comedy, Fantasy",
    "a slow film about two old men who cross a desert, and what they do not say to each other",
    "waterproof hiking boots, size 42",
    "Ὀδύσσεια",
    "no",
)
"""What torch's vectors of these are is kept beside the model: each start compares."""
MOST_KEPT = 3  # folders, the latest used: a model's weights each
_LAYOUT = 1  # of a folder
_MADE_BY = ("openvino", "torch", "transformers", "tokenizers")
_GRAPH, _WEIGHTS, _ABOUT = "model.xml", "model.bin", "about.json"

log = logging.getLogger("upwell.encoder")


class EngineError(EncoderError):
    """The model is sound, but this engine cannot have it."""


@dataclass(frozen=True, slots=True)
class Converted:
    """model: `openvino.Model`, ids and mask (B, L) to unit vectors (B, d). tokenizer: JSON as
    `tokenizers` reads it. pad: its token that fills up. probes: (5, d) torch's of `PROBES`.
    """

    model: Any
    tokenizer: str
    pad: int
    probes: Vector


def openvino_alone() -> ModuleType:
    """The package, without `openvino_telemetry`: from the import on, that tells the maker of each
    use unless somebody said no before. Raises `ImportError`.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino  # type: ignore[no-any-return]


def convert_apart(folder: Path, name: str, cache: Path, int8: bool = False) -> None:
    """Sees to it that `cache` has the model, by a process of its own: converting takes torch, some
    460 MB that nothing gives back. Where that fails `converted` does it, and says why.
    """
    if not (cache / _key(folder, name, int8)).is_dir():
        call = (sys.executable, "-P", "-m", __name__, str(folder), name, str(cache), str(int(int8)))
        subprocess.run(call, check=False, capture_output=True)


def converted(folder: Path, name: str, cache: Path | None, int8: bool = False) -> Converted:
    """As kept in `cache`, or made and kept there; None keeps nothing. int8: of its matrices
    (`encoders.engines.weights`), else float32.

    A kept one that is damaged is made anew, a cache that cannot be written is left: both are said.
    Raises `EncoderError` where the model does not load in torch, `EngineError`, `RuntimeError` or
    `ImportError` where OpenVINO is what fails.
    """
    place = None if cache is None else cache / _key(folder, name, int8)
    if place is not None and (kept := _read(place)) is not None:
        return kept
    made = _made(folder, name)
    if int8:
        made = replace(made, model=in_int8(made.model))
    return made if place is None else _keep(made, place)


def _key(folder: Path, name: str, int8: bool) -> str:
    """Of all that decides what is made."""
    versions = [f"{one} {importlib.metadata.version(one)}" for one in _MADE_BY]
    own = [checked_digest(folder, name), read_by(folder), recipe_of(folder).name]
    parts = [str(_LAYOUT), *own, *versions, *PROBES, *(["int8"] if int8 else [])]
    return blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()


def _made(folder: Path, name: str) -> Converted:
    openvino_alone()
    import torch
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    from encoders.device import Placement
    from encoders.transformer import TransformerEncoder

    encoder = TransformerEncoder(folder, name, Placement("cpu", "float32"))
    tokenizer = encoder.tokenizer_json()
    if tokenizer is None:
        raise EngineError(f"model {name!r}: its tokenizer runs in Python alone")
    probes = encoder.encode(PROBES)
    some = torch.ones((2, 8), dtype=torch.long)
    example = {"input_ids": some, "attention_mask": some}
    frontend = FrontEndManager().load_by_framework("pytorch")
    with warnings.catch_warnings():  # transformers asks for shapes while it is traced
        warnings.simplefilter("ignore")
        decoder = TorchScriptPythonDecoder(encoder.pooled, example_input=example)
        model = frontend.convert(frontend.load(decoder))
    return Converted(model, tokenizer, encoder.pad, probes)


def _read(place: Path) -> Converted | None:
    """None where there is nothing whole."""
    openvino = openvino_alone()
    if not place.is_dir():
        return None
    try:
        about = json.loads((place / _ABOUT).read_bytes())
        if _digests(place) != about["digests"]:
            raise ValueError("its files are not those that were written")
        model = openvino.Core().read_model(place / _GRAPH)
        os.utime(place)  # used today
        probes = np.array(about["probes"], np.float32)
        return Converted(model, about["tokenizer"], about["pad"], probes)
    except (OSError, ValueError, LookupError, TypeError, RuntimeError) as exc:
        log.warning("the model converted in %s is damaged (%s): it is made anew", place, exc)
        shutil.rmtree(place, ignore_errors=True)
        return None


def _keep(made: Converted, place: Path) -> Converted:
    """As it is read from there, which leaves the weights to the file; as it was made, where nothing
    can be written.
    """
    openvino = openvino_alone()
    try:
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(dir=place.parent, prefix="new-") as name:
            new = Path(name) / "whole"
            new.mkdir(mode=0o700)
            openvino.save_model(made.model, new / _GRAPH, compress_to_fp16=False)
            about = {
                "tokenizer": made.tokenizer,
                "pad": made.pad,
                "probes": made.probes.tolist(),
                "digests": _digests(new),
            }
            (new / _ABOUT).write_text(json.dumps(about))
            if not place.exists():
                new.rename(place)
        _make_room(place)
        return _read(place) or made
    except (OSError, RuntimeError) as exc:
        log.warning(
            "the converted model cannot be kept in %s (%s): every start converts it again; set "
            "UPWELL_CACHE to a folder of your own",
            place.parent,
            exc,
        )
        return made


def _digests(place: Path) -> dict[str, str]:
    found = {}
    for name in (_GRAPH, _WEIGHTS):
        with (place / name).open("rb") as file:
            found[name] = file_digest(file, "sha256").hexdigest()
    return found


def _make_room(own: Path) -> None:
    """Remove other models, the longest unused first, until few are kept."""
    others = [one for one in own.parent.iterdir() if one != own and (one / _ABOUT).exists()]
    others.sort(key=lambda one: -one.stat().st_mtime)
    for one in others[MOST_KEPT - 1 :]:
        shutil.rmtree(one, ignore_errors=True)


if __name__ == "__main__":
    converted(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), bool(int(sys.argv[4])))
