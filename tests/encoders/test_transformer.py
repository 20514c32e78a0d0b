"""The language model's loader: what is wrong with a folder is said in one line, nothing is printed,
any size of model is taken.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from encoders import model_dimension
from encoders.device import Placement
from encoders.folder import DEFAULT_MODEL
from encoders.transformer import TransformerEncoder
from tests.encoders.tiny import POSITIONS, TOKENIZER_FILES, message, tiny_writer

CPU = Placement("cpu", "float32")


def load(folder: Path) -> TransformerEncoder:
    return TransformerEncoder(folder, folder.name, CPU)


def test_a_model_of_another_size_is_taken(tiny: Path) -> None:
    encoder = load(tiny)
    assert encoder.dimension == model_dimension(str(tiny)) == 32
    assert encoder.revision.startswith("tiny@")
    assert encoder.revision.endswith("/mean/float32")
    np.testing.assert_allclose(np.linalg.norm(encoder.encode(["a", "b c"]), axis=1), 1.0, atol=1e-5)


@pytest.mark.parametrize(("kind", "pooling"), [("gpt2", "weighted"), ("t5", "mean")])
def test_a_model_that_writes_reads_too(tmp_path: Path, kind: str, pooling: str) -> None:
    folder = tiny_writer(tmp_path / kind, kind)
    encoder = load(folder)
    assert encoder.dimension == model_dimension(str(folder)) == 32
    assert f"/{pooling}/" in encoder.revision
    texts = ["a", "a longer text than the first one", "", "a longer text"]
    together, alone = encoder.encode(texts), [encoder.encode([one])[0] for one in texts]
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert not np.allclose(together[1], together[3], atol=1e-3)


def test_a_folder_that_says_so_is_pooled_by_its_first_token(tiny: Path) -> None:
    before = load(tiny)
    (tiny / "1_Pooling").mkdir()
    (tiny / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}')
    modules = [{"type": "m.Transformer", "path": ""}, {"type": "m.Pooling", "path": "1_Pooling"}]
    (tiny / "modules.json").write_text(json.dumps(modules))
    after = load(tiny)
    assert after.revision == before.revision.replace("/mean/", "/first/")
    assert not np.allclose(after.encode(["a b c"]), before.encode(["a b c"]), atol=1e-3)


def test_a_text_longer_than_the_model_takes_counts_with_its_beginning(tiny: Path) -> None:
    encoder = load(tiny)
    long, longer = encoder.encode(["word " * POSITIONS, "word " * 1_000])
    np.testing.assert_allclose(long, longer, atol=1e-5)


def test_other_weights_are_another_revision(tiny: Path) -> None:
    before = load(tiny).revision
    weights = tiny / "model.safetensors"
    raw = bytearray(weights.read_bytes())
    raw[-1] ^= 1
    weights.write_bytes(raw)
    assert load(tiny).revision != before


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


def test_a_failure_of_the_model_is_one_line(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = load(tiny)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be …")

    monkeypatch.setattr(encoder._pooling.model, "forward", fail)
    assert "out of memory" in message(lambda: encoder.encode(["a"]))


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


def test_weights_that_are_no_numbers_are_one_line(tiny: Path) -> None:
    weights = {
        name: torch.full_like(value, torch.nan)
        for name, value in load_file(tiny / "model.safetensors").items()
    }
    save_file(weights, tiny / "model.safetensors", metadata={"format": "pt"})
    assert "not finite" in message(lambda: load(tiny))


def test_threads_share_the_model(tiny: Path) -> None:
    encoder = load(tiny)
    texts = [["one"], ["two words", "three"], ["x " * 200], ["a", "b", "c"]] * 8
    alone = [encoder.encode(some) for some in texts]
    with ThreadPoolExecutor(4) as pool:
        for expected, made in zip(alone, pool.map(encoder.encode, texts), strict=True):
            np.testing.assert_array_equal(made, expected)
