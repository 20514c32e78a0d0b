"""How a model's states become one vector a text: as its folder says (`modules.json` and what that
names, as sentence-transformers writes it), or by its type where that says nothing.

It knows nothing about torch.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from upwell.errors import EncoderError

__all__ = ["Dense", "Recipe", "recipe_of"]

_MODULES = "modules.json"
_POOLINGS = {
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "first",
    "pooling_mode_lasttoken": "last",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_weightedmean_tokens": "weighted",
    "pooling_mode_mean_sqrt_len_tokens": "sum",
}
_NAMES = {"cls": "first", "lasttoken": "last", "weightedmean": "weighted", "mean_sqrt_len": "sum"}
_ACTIVATIONS = {"Identity": False, "Tanh": True}
_READS_FORWARD = ("ForCausalLM", "LMHeadModel")


@dataclass(frozen=True, slots=True)
class Dense:
    """A linear layer after pooling. weights: a safetensors file with `linear.weight` (out, in) and
    perhaps `linear.bias`. size: out. tanh: it follows.
    """

    weights: Path
    size: int
    tanh: bool


@dataclass(frozen=True, slots=True)
class Recipe:
    """pooling: `mean` of the words' states, their `sum` by the root of how many they are, their
    `max`, the `first`, the `last`, or their mean `weighted` by place. longest: tokens of a text
    that count, None where only the model says.
    """

    pooling: str = "mean"
    dense: tuple[Dense, ...] = ()
    longest: int | None = None

    @property
    def name(self) -> str:
        """Part of a revision: differs wherever vectors do."""
        if not self.dense:
            return self.pooling
        digest = sha256()
        for layer in self.dense:
            digest.update(sha256(layer.weights.read_bytes()).digest() + bytes([layer.tanh]))
        return f"{self.pooling}+dense-{digest.hexdigest()[:8]}"


def recipe_of(folder: Path) -> Recipe:
    """What the folder of a model says. Raises `EncoderError` where it asks for what is not known
    here, so that no model is read otherwise than it was trained.

    Where nothing is said, a model that reads forward only (GPT's kind) is pooled `weighted`: later
    words have seen the earlier ones (Muennighoff, SGPT, 2022); others by their mean.
    """
    if not (folder / _MODULES).is_file():
        return Recipe("weighted" if _reads_forward(folder) else "mean")
    pooling, dense = "", list[Dense]()
    for module in _json(folder / _MODULES):
        kind, place = str(module.get("type")).rpartition(".")[2], folder / str(module.get("path"))
        if kind == "Pooling":
            pooling = _pooling(place)
        elif kind == "Dense":
            dense.append(_dense(place))
        elif kind not in ("Transformer", "Normalize") or (
            kind == "Transformer" and place.resolve() != folder.resolve()
        ):
            raise _unknown(folder, f"{_MODULES} names {kind} in {place.name}")
    if not pooling:
        raise _unknown(folder, f"{_MODULES} names no Pooling")
    return Recipe(pooling, tuple(dense), _longest(folder))


def _unknown(folder: Path, what: str) -> EncoderError:
    return EncoderError(
        f"model in {folder}: {what}, which Upwell cannot compute; give a model of one transformer, "
        "pooling, and linear layers at most"
    )


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_bytes())
    except (OSError, ValueError) as exc:
        raise EncoderError(f"{file} cannot be read: {exc}; get the model again") from exc


def _pooling(place: Path) -> str:
    said = _json(place / "config.json")
    mode = said.get("pooling_mode")
    chosen = [name for key, name in _POOLINGS.items() if said.get(key)]
    if isinstance(mode, str):
        chosen = [_NAMES.get(mode, mode)]
    if len(chosen) != 1 or chosen[0] not in _POOLINGS.values():
        raise _unknown(place.parent, f"{place.name} pools by {' and '.join(chosen) or 'nothing'}")
    return chosen[0]


def _dense(place: Path) -> Dense:
    said, weights = _json(place / "config.json"), place / "model.safetensors"
    activation = str(said.get("activation_function", "")).rpartition(".")[2]
    if activation not in _ACTIVATIONS:
        raise _unknown(place.parent, f"{place.name} ends with {activation or 'no activation'}")
    if not weights.is_file():
        raise EncoderError(
            f"model in {place.parent}: {place.name}/{weights.name} is missing; "
            "get its weights as safetensors"
        )
    return Dense(weights, int(said["out_features"]), _ACTIVATIONS[activation])


def _longest(folder: Path) -> int | None:
    file = folder / "sentence_bert_config.json"
    found = _json(file).get("max_seq_length") if file.is_file() else None
    return int(found) if found else None


def _reads_forward(folder: Path) -> bool:
    try:
        said = json.loads((folder / "config.json").read_bytes())
    except (OSError, ValueError):
        return False  # what is wrong with it is said where it is loaded
    named = said.get("architectures") if isinstance(said, dict) else None
    return any(str(one).endswith(_READS_FORWARD) for one in named or ())
