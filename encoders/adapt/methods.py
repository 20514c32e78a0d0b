"""Which weights are trained, and how they become plain weights again: adapters of peft, or the last
layers themselves.

LoRA (Hu et al., ICLR 2022), AdaLoRA (Zhang et al., ICLR 2023), IA³ (Liu et al., NeurIPS 2022),
prefix tuning (Li and Liang, ACL 2021).
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import Any

import torch

from encoders.adapt.options import Options, layers_of
from upwell.errors import EncoderError

__all__ = ["Method", "adapted"]

RANK, FIRST_RANK = 16, 24
PREFIX_TOKENS = 8
_NOT_READ = r".*pooler.*"
_IMPORTANCE = ("ipt", "exp_avg_ipt", "exp_avg_unc")
_LAYER = re.compile(r"\blayers?\.(\d+)\.", re.ASCII)


class Method:
    """An encoder, some of whose weights are trained."""

    def __init__(self, model: torch.nn.Module, encoder: torch.nn.Module) -> None:
        self.model = model
        self._encoder = encoder

    def trained(self) -> dict[str, torch.nn.Parameter]:
        """By name."""
        return {name: one for name, one in self.model.named_parameters() if one.requires_grad}

    def after_step(self, step: int) -> None:
        """Called after each of the optimizer's, from 0, while its gradients are still there."""

    def penalty(self) -> torch.Tensor | float:
        """What is added to the loss."""
        return 0.0

    def memory(self) -> dict[str, Any]:
        """What a checkpoint needs beside the trained weights."""
        return {}

    def recall(self, memory: dict[str, Any]) -> None:
        """As it was."""

    def merged(self) -> torch.nn.Module:
        """The encoder with plain weights; the end of training."""
        return self._encoder


class _Adapters(Method):
    def merged(self) -> torch.nn.Module:
        merge: Any = self.model
        plain: torch.nn.Module = merge.merge_and_unload()
        return plain


class _AdaLora(_Adapters):
    """Which of its ranks stay is decided by how much they matter, step by step."""

    def __init__(self, model: Any, encoder: torch.nn.Module) -> None:
        super().__init__(model, encoder)
        self._tuner = model.base_model
        self._config = model.peft_config["default"]

    def after_step(self, step: int) -> None:
        self._tuner.update_and_allocate(step)

    def penalty(self) -> torch.Tensor:
        """How far the adapters are from orthogonal: without it their ranks cannot be compared."""
        far = []
        for name, one in self.trained().items():
            if "lora_A" in name or "lora_B" in name:
                square = one @ one.T if "lora_A" in name else one.T @ one  # (r, r)
                far.append(torch.linalg.norm(square - torch.eye(len(square), device=one.device)))
        return float(self._config.orth_reg_weight) * torch.stack(far).mean()

    def memory(self) -> dict[str, Any]:
        allocator = self._tuner.rankallocator
        kept = {name: getattr(allocator, name) for name in _IMPORTANCE}
        return {**kept, "rank_pattern": self._config.rank_pattern}

    def recall(self, memory: dict[str, Any]) -> None:
        self._config.rank_pattern = memory["rank_pattern"]
        for name in _IMPORTANCE:
            setattr(self._tuner.rankallocator, name, memory[name])


class _Prefix(Method):
    def merged(self) -> torch.nn.Module:
        raise EncoderError(
            "a prefix stands beside the weights and cannot become part of them: the folder of a "
            "model cannot hold it; take lora, adalora, ia3 or top:N"
        )


def adapted(encoder: torch.nn.Module, options: Options) -> Method:
    """The encoder made ready; it is changed in place. Raises `EncoderError` where peft is missing,
    or does not know how to adapt such a model.
    """
    for one in encoder.parameters():
        one.requires_grad_(False)
    layers = layers_of(options.method)
    if layers is not None:
        return _top(encoder, layers)
    if find_spec("peft") is None:
        raise EncoderError(
            f"--method {options.method} needs peft: pip install 'upwell[adapt]', or take top:N"
        )
    from peft import get_peft_model

    kinds: dict[str, type[Method]] = {"adalora": _AdaLora, "prefix": _Prefix}
    untyped: Any = encoder
    try:
        model = get_peft_model(untyped, _config(options))
    except (ValueError, TypeError, AttributeError, KeyError) as exc:
        raise EncoderError(
            f"peft cannot adapt a {type(encoder).__name__} by {options.method} "
            f"({str(exc).splitlines()[0]:.120}); take another --method"
        ) from exc
    return kinds.get(options.method, _Adapters)(model, encoder)


def _config(options: Options) -> Any:
    from peft import AdaLoraConfig, IA3Config, LoraConfig, PrefixTuningConfig

    task: Any = {"task_type": "FEATURE_EXTRACTION"}
    linear: Any = {
        "target_modules": "all-linear",
        "exclude_modules": _NOT_READ,
        "lora_dropout": 0.05,
    }
    steps = options.schedule.steps
    match options.method:
        case "lora":
            return LoraConfig(r=RANK, lora_alpha=2 * RANK, **linear, **task)
        case "adalora":
            return AdaLoraConfig(
                init_r=FIRST_RANK,
                target_r=RANK,
                lora_alpha=2 * RANK,
                tinit=steps // 10,
                tfinal=steps // 5,
                deltaT=max(1, steps // 100),
                total_step=steps,
                **linear,
                **task,
            )
        case "ia3":
            return IA3Config(**task)
        case _:
            return PrefixTuningConfig(num_virtual_tokens=PREFIX_TOKENS, **task)


def _top(encoder: torch.nn.Module, layers: int) -> Method:
    """All weights of the last layers are trained."""
    numbers = {
        name: int(found[1])
        for name, _ in encoder.named_parameters()
        if (found := _LAYER.search(name))
    }
    count = max(numbers.values(), default=-1) + 1
    if layers > count:
        raise EncoderError(f"--method top:{layers}: the model has {count} layers")
    for name, one in encoder.named_parameters():
        one.requires_grad_(numbers.get(name, -1) >= count - layers)
    return Method(encoder, encoder)
