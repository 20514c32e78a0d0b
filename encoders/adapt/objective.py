"""What fine-tuning minimises, as functions of tensors: symmetric InfoNCE, masked-language
modelling, and word embeddings moved against it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

__all__ = ["IGNORED", "info_nce", "masked", "moved_words", "watched_words"]

IGNORED = -100
"""A label that is no loss: torch's own."""
_MASKED_SHARE, _AS_MASK, _AS_OTHER = 0.15, 0.8, 0.1


def info_nce(
    anchors: torch.Tensor,
    positives: torch.Tensor,
    false: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    temperature: float,
) -> torch.Tensor:
    """Of unit vectors (B, d), each pair against the others of the batch, both ways, mean.

    false: of `encoders.adapt.pairs.false_negatives`. van den Oord, Li and Vinyals,
    arXiv:1807.03748; both ways as in Radford et al., ICML 2021.
    """
    scores = (anchors @ positives.T).float() / temperature  # (B, B)
    own = torch.arange(len(scores), device=scores.device)
    forward, backward = (torch.from_numpy(one).to(scores.device) for one in false)
    there = cross_entropy(scores.masked_fill(forward, -torch.inf), own)
    back = cross_entropy(scores.T.masked_fill(backward, -torch.inf), own)
    return (there + back) / 2


def masked(
    ids: NDArray[np.int64],
    special: Sequence[int],
    mask_token: int,
    vocabulary: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """ids (B, L) with 15 % of the words hidden, and the labels (B, L): the word where it was
    hidden, `IGNORED` elsewhere.

    Of the hidden 80 % are the mask token, 10 % any word, 10 % stay: Devlin et al., NAACL 2019.
    special: tokens that are no words, padding among them.
    """
    hidden = (rng.random(ids.shape) < _MASKED_SHARE) & ~np.isin(ids, special)
    lot = rng.random(ids.shape)
    words = rng.integers(0, vocabulary, ids.shape)
    shown = np.where(hidden & (lot < _AS_MASK), mask_token, ids)
    other = hidden & (lot >= _AS_MASK) & (lot < _AS_MASK + _AS_OTHER)
    return np.where(other, words, shown), np.where(hidden, ids, IGNORED)


@contextmanager
def watched_words(embeddings: torch.nn.Module) -> Iterator[list[torch.Tensor]]:
    """The word embeddings (B, L, d) of each call within, whose gradients are kept."""
    seen: list[torch.Tensor] = []

    def watch(_: torch.nn.Module, __: object, words: torch.Tensor) -> torch.Tensor:
        if not words.requires_grad:
            words = words.detach().requires_grad_()
        words.retain_grad()
        seen.append(words)
        return words

    with _hooked(embeddings, watch):
        yield seen


@contextmanager
def moved_words(embeddings: torch.nn.Module, words: torch.Tensor, size: float) -> Iterator[None]:
    """Within, word embeddings (B, L, d) are moved along the gradient that `words` got, each text by
    `size` (its Euclidean length): the fast gradient method of Miyato, Dai and Goodfellow, ICLR
    2017.
    """
    gradient = words.grad
    assert gradient is not None, "words are of `watched_words`, and the loss went back to them"
    length = gradient.flatten(1).norm(dim=1).clamp_min(torch.finfo(gradient.dtype).tiny)
    move = size * gradient / length[:, None, None]

    def add(_: torch.nn.Module, __: object, words: torch.Tensor) -> torch.Tensor:
        moved: torch.Tensor = words + move
        return moved

    with _hooked(embeddings, add):
        yield


@contextmanager
def _hooked(
    module: torch.nn.Module,
    hook: Callable[[torch.nn.Module, object, torch.Tensor], torch.Tensor],
) -> Iterator[None]:
    handle = module.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()
