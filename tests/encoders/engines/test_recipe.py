"""What a folder says of how its states become vectors, and what is said where that is not known."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from encoders.engines.recipe import Recipe, recipe_of
from encoders.folder import DEFAULT_MODEL, find_model
from tests.encoders.tiny import message

CALLED = "sentence_transformers.models."


def described(
    folder: Path,
    pooling: Mapping[str, Any],
    more: Sequence[str] = (),
    dense: Mapping[str, Any] | None = None,
    at: str = "",
) -> Path:
    """A folder as sentence-transformers writes it, without weights of a transformer."""
    names = ["Transformer", "Pooling", *([] if dense is None else ["Dense"]), *more]
    paths = [at, "1_Pooling", "2_Dense", "3_More"]
    modules = [
        {"idx": n, "name": str(n), "path": path, "type": CALLED + name}
        for n, (name, path) in enumerate(zip(names, paths, strict=False))
    ]
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    if dense is not None:
        (folder / "2_Dense").mkdir()
        (folder / "2_Dense" / "config.json").write_text(json.dumps(dense))
        (folder / "2_Dense" / "model.safetensors").write_bytes(b"weights")
    return folder


@pytest.mark.parametrize(
    ("said", "pooling"),
    [
        ({"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}, "mean"),
        ({"pooling_mode_cls_token": True}, "first"),
        ({"pooling_mode_lasttoken": True}, "last"),
        ({"pooling_mode_max_tokens": True}, "max"),
        ({"pooling_mode_weightedmean_tokens": True}, "weighted"),
        ({"pooling_mode_mean_sqrt_len_tokens": True}, "sum"),
        ({"pooling_mode": "cls", "embedding_dimension": 32}, "first"),
        ({"pooling_mode": "mean"}, "mean"),
    ],
)
def test_a_model_is_pooled_as_its_folder_says(
    tmp_path: Path, said: dict[str, Any], pooling: str
) -> None:
    assert recipe_of(described(tmp_path, said, ["Normalize"])) == Recipe(pooling)


def test_the_default_is_pooled_by_the_mean_and_takes_256_tokens() -> None:
    recipe = recipe_of(find_model(DEFAULT_MODEL))
    assert recipe == Recipe("mean", (), 256)
    assert recipe.name == "mean"


@pytest.mark.parametrize(
    ("architecture", "pooling"),
    [
        ("BertModel", "mean"),
        ("GPT2LMHeadModel", "weighted"),
        ("Qwen3ForCausalLM", "weighted"),
        (None, "mean"),
    ],
)
def test_where_nothing_is_said_the_type_decides(
    tmp_path: Path, architecture: str | None, pooling: str
) -> None:
    named = {} if architecture is None else {"architectures": [architecture]}
    (tmp_path / "config.json").write_text(json.dumps(named))
    assert recipe_of(tmp_path) == Recipe(pooling)


def test_the_longest_text_is_read(tmp_path: Path) -> None:
    folder = described(tmp_path, {"pooling_mode_mean_tokens": True})
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 128}')
    assert recipe_of(folder).longest == 128
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": null}')
    assert recipe_of(folder).longest is None


def test_a_linear_layer_is_part_of_the_name(tmp_path: Path) -> None:
    dense = {"in_features": 32, "out_features": 8, "activation_function": "torch.nn.Tanh"}
    folder = described(tmp_path, {"pooling_mode_cls_token": True}, dense=dense)
    recipe = recipe_of(folder)
    assert [(one.size, one.tanh) for one in recipe.dense] == [(8, True)]
    before = recipe.name
    assert before.startswith("first+dense-")
    (folder / "2_Dense" / "model.safetensors").write_bytes(b"others")
    assert recipe_of(folder).name != before


MEAN = {"pooling_mode_mean_tokens": True}
LINEAR = {"in_features": 4, "out_features": 4, "activation_function": "torch.nn.Identity"}


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        ({"pooling": {**MEAN, "pooling_mode_cls_token": True}}, "pools by mean and first"),
        ({"pooling": {}}, "pools by nothing"),
        ({"pooling": {"pooling_mode": "attention"}}, "pools by attention"),
        ({"pooling": MEAN, "more": ["LSTM"]}, "names LSTM"),
        ({"pooling": MEAN, "at": "0_Transformer"}, "names Transformer in 0_Transformer"),
        (
            {"pooling": MEAN, "dense": {**LINEAR, "activation_function": "torch.nn.GELU"}},
            "2_Dense ends with GELU",
        ),
    ],
)
def test_what_is_not_known_here_is_refused(
    tmp_path: Path, made: dict[str, Any], reason: str
) -> None:
    folder = described(tmp_path / "model", **made)
    said = message(lambda: recipe_of(folder))
    assert reason in said
    assert "which Upwell cannot compute" in said


def test_a_torn_description_and_missing_weights_are_one_line(tmp_path: Path) -> None:
    folder = described(tmp_path, MEAN, dense=LINEAR)
    (folder / "2_Dense" / "model.safetensors").unlink()
    assert "get its weights as safetensors" in message(lambda: recipe_of(folder))
    (folder / "1_Pooling" / "config.json").write_text("{")
    assert "1_Pooling/config.json cannot be read" in message(lambda: recipe_of(folder))
    (folder / "modules.json").write_text('[{"type": "x.Transformer", "path": ""}]')
    assert "names no Pooling" in message(lambda: recipe_of(folder))
