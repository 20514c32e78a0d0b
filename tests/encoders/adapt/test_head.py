from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from encoders.adapt.head import masked_head
from encoders.device import Placement
from encoders.transformer import TransformerEncoder
from tests.encoders.tiny import message


def load(folder: Path) -> TransformerEncoder:
    return TransformerEncoder(folder, folder.name, Placement("cpu", "float32"))


def test_a_model_without_a_head_gets_one_tied_to_its_words(tiny: Path) -> None:
    base = load(tiny)
    head, known = masked_head(tiny, base)
    assert not known
    words = base.pooled.model.get_input_embeddings().weight  # type: ignore[operator]
    assert any(one is words for one in head.parameters())
    assert head(torch.zeros(5, 32)).shape == (5, len(words))


def test_a_model_with_a_head_keeps_it(tiny: Path) -> None:
    weights = load_file(tiny / "model.safetensors")
    own = torch.full((32, 32), 0.25)
    head = {
        "cls.predictions.transform.dense.weight": own,
        "cls.predictions.transform.dense.bias": torch.zeros(32),
        "cls.predictions.transform.LayerNorm.weight": torch.ones(32),
        "cls.predictions.transform.LayerNorm.bias": torch.zeros(32),
        "cls.predictions.bias": torch.zeros(30_522),
        "cls.predictions.decoder.bias": torch.zeros(30_522),
    }
    weights = {f"bert.{name}": one for name, one in weights.items()} | head
    save_file(weights, tiny / "model.safetensors", metadata={"format": "pt"})
    found, known = masked_head(tiny, load(tiny))
    assert known
    assert any(one.shape == own.shape and torch.equal(one, own) for one in found.parameters())


def test_a_tokenizer_without_a_mask_is_a_clear_error(tiny: Path) -> None:
    base = load(tiny)
    base.tokenizer.mask_token = None
    assert "take --mlm 0" in message(lambda: masked_head(tiny, base))
