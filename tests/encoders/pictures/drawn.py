"""Pictures and picture models small enough to be made anew for each test: random weights, of real
families, in folders as transformers writes them.
"""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import (
    CLIPConfig,
    CLIPModel,
    PreTrainedModel,
    ResNetConfig,
    ResNetModel,
    SiglipConfig,
    SiglipModel,
    ViTConfig,
    ViTModel,
)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

from encoders.pictures.refused import RefusedError
from tests.encoders.tiny import TOKENIZER_FILES, tiny_model

__all__ = [
    "data_uri",
    "drawing",
    "encoded",
    "outcome",
    "reason",
    "tiny_clip",
    "tiny_resnet",
    "tiny_siglip",
    "tiny_vit",
]

SIDE = 32


def drawing(seed: int = 0, size: tuple[int, int] = (40, 30), mode: str = "RGB") -> Image.Image:
    """A picture of noise."""
    bands = len(Image.new(mode, (1, 1)).getbands())
    noise = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], bands), np.uint8)
    return Image.fromarray(noise.squeeze(), mode) if bands == 1 else Image.fromarray(noise)


def encoded(image: Image.Image, kind: str = "PNG") -> bytes:
    """The bytes of a file of this kind."""
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


def data_uri(image: Image.Image, kind: str = "PNG") -> str:
    """The picture as an app may send it."""
    return f"data:image/{kind.lower()};base64,{b64encode(encoded(image, kind)).decode()}"


def tiny_vit(folder: Path, pooler: bool = True) -> Path:
    """A random ViT of 16 dimensions; without its pooler's weights where not `pooler`."""
    torch.manual_seed(3)
    config = ViTConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        image_size=SIDE,
        patch_size=8,
    )
    model = ViTModel(config, add_pooling_layer=pooler)
    return _written(model, ViTImageProcessorPil(size={"height": SIDE, "width": SIDE}), folder)


def tiny_resnet(folder: Path) -> Path:
    """A random ResNet of 24 dimensions, as one of the families of convolutions."""
    torch.manual_seed(3)
    config = ResNetConfig(embedding_size=8, hidden_sizes=[12, 24], depths=[1, 1])
    model = ResNetModel(config)  # type: ignore[no-untyped-call]
    return _written(model, ViTImageProcessorPil(size={"height": SIDE, "width": SIDE}), folder)


def tiny_clip(folder: Path) -> Path:
    """A random CLIP whose two towers meet in 12 dimensions, with MiniLM's tokenizer."""
    torch.manual_seed(3)
    tower = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1}
    heads = {"num_attention_heads": 2, "projection_dim": 12}
    words = {"vocab_size": 30_522, "max_position_embeddings": 24, "eos_token_id": 102}
    config = CLIPConfig(
        text_config={**tower, **heads, **words},
        vision_config={**tower, **heads, "image_size": SIDE, "patch_size": 8},
        projection_dim=12,
    )
    model = CLIPModel(config)
    reading = CLIPImageProcessorPil(size={"shortest_edge": SIDE}, crop_size=SIDE)
    return _with_words(_written(model, reading, folder))


def tiny_siglip(folder: Path) -> Path:
    """A random SigLIP whose two towers meet in 16 dimensions, with MiniLM's tokenizer."""
    torch.manual_seed(3)
    tower = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1}
    config = SiglipConfig(
        text_config={
            **tower,
            "num_attention_heads": 2,
            "vocab_size": 30_522,
            "max_position_embeddings": 24,
        },
        vision_config={**tower, "num_attention_heads": 2, "image_size": SIDE, "patch_size": 8},
    )
    model = SiglipModel(config)
    reading = SiglipImageProcessorPil(size={"height": SIDE, "width": SIDE})
    return _with_words(_written(model, reading, folder))


def _with_words(folder: Path) -> Path:
    words_of = tiny_model(folder.parent / f"{folder.name}-words")
    for name in TOKENIZER_FILES:
        (words_of / name).rename(folder / name)
    return folder


def _written(model: PreTrainedModel, reading: Any, folder: Path) -> Path:
    model.save_pretrained(str(folder))
    reading.save_pretrained(str(folder))
    return folder


def reason(failing: Callable[[], object]) -> str:
    """Why a picture is refused; what is said of it is one line."""
    with pytest.raises(RefusedError) as error:
        failing()
    assert "\n" not in error.value.detail
    return error.value.reason


def outcome(work: Callable[[], object]) -> object:
    """What comes of it, or why it is refused."""
    try:
        return work()
    except RefusedError as exc:
        return exc.reason
