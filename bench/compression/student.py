"""Half of the layers of a model, taught to make its vectors: distillation on a catalogue's texts.

Every other layer is copied, the words' vectors stay as they are. The loss is one minus the cosine
to the whole model's vector of the same text (Sanh et al., DistilBERT, 2019, for layers and copying;
Reimers and Gurevych, EMNLP 2020, for vectors as what is taught).
"""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from encoders.adapt.trainer import share_of_rate
from encoders.adapt.write import write_model
from encoders.device import Placement
from encoders.engines.padding import padded
from encoders.folder import find_model
from encoders.transformer import TransformerEncoder
from upwell.values import Vector

__all__ = ["halved", "taught"]

BATCH = 32
RATE = 2e-4


def halved(model: str) -> TransformerEncoder:
    """With every other layer, not taught yet. A model of BERT's kind."""
    made = TransformerEncoder(find_model(model), "half", Placement("cpu", "float32"))
    inner: Any = made.pooled.model
    inner.encoder.layer = torch.nn.ModuleList(list(inner.encoder.layer)[1::2])
    inner.config.num_hidden_layers = len(inner.encoder.layer)
    return made


def taught(
    model: str, texts: Sequence[str], vectors: Vector, rounds: int, seed: int, out: Path
) -> None:
    """Writes a plain model to `out`. vectors: (n, d) what the whole one makes of the texts."""
    student, draw = halved(model), random.Random(seed)
    inner: Any = student.pooled.model
    for weights in inner.embeddings.parameters():
        weights.requires_grad_(False)
    optimizer = torch.optim.AdamW([one for one in inner.parameters() if one.requires_grad], lr=RATE)
    steps, step = rounds * (len(texts) // BATCH), 0
    for _ in range(rounds):
        for batch in _batches(student, texts, draw):
            for group in optimizer.param_groups:
                group["lr"] = RATE * share_of_rate(step, steps)
            ids, mask = padded(student.tokens([texts[one] for one in batch]), student.pad)
            found = student.pooled(torch.from_numpy(ids), torch.from_numpy(mask))  # (B, d)
            loss = (1.0 - (found * torch.from_numpy(vectors[batch])).sum(dim=1)).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
    out.mkdir(parents=True)
    write_model(copy.deepcopy(inner), find_model(model), out)
    (out / "config.json").write_text(inner.config.to_json_string())


def _batches(
    student: TransformerEncoder, texts: Sequence[str], draw: random.Random
) -> list[list[int]]:
    """Of about equal lengths each, in an order drawn."""
    lengths = [len(one) for one in student.tokens(texts)]
    order = sorted(range(len(texts)), key=lambda one: (lengths[one], draw.random()))
    cut = [order[start : start + BATCH] for start in range(0, len(order) - BATCH + 1, BATCH)]
    draw.shuffle(cut)
    return cut
