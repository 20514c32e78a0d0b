"""Two processes of torch.distributed (gloo), each with a part of a mini-batch's targets, have the
gradient that one process has of the whole.

Negatives are the whole batch's, with its log-q: drawn by part they would be another sample. A part
counts by its weights, since the loss is a weighted mean.
"""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, distributed
from torch.multiprocessing.spawn import spawn

from learner.training.batch import MiniBatch
from tests.learner.toy import examples, ring, trainer
from tests.learner.training.test_trainer import objective
from upwell.settings import LearnerSettings

SHARES = (slice(0, 16), slice(16, None))
"""Of the targets, which are more than 32."""
PROCESSES = len(SHARES)


def gradients(take: slice) -> tuple[float, Tensor]:
    """The weights that the targets `take` of the seeded batch have in all, and the gradient of
    their loss, flat: of the identities and the network.
    """
    made = trainer()
    made.add(ring(12))
    disliked = [[number % 5 for number in range(start, start + 8)] for start in range(4)]
    made.add(examples([f"sour-{number}" for number in range(4)], disliked, stars=1.0))
    made.train(2)
    found, batch = objective(made, LearnerSettings())
    part = half(batch, take)
    loss = found.parts(part, np.random.default_rng(6))["main"]
    weights = [part.identities, *made.model.network.parameters()]
    grads = torch.autograd.grad(loss, weights, allow_unused=True)
    flat = [
        torch.zeros_like(one).ravel() if grad is None else grad.ravel()
        for one, grad in zip(weights, grads, strict=True)
    ]
    return float(part.targets.weights.sum()), torch.cat(flat)


def half(batch: MiniBatch, take: slice) -> MiniBatch:
    """With some of the targets, and all that was drawn for all of them."""
    targets = {one.name: getattr(batch.targets, one.name)[take] for one in fields(batch.targets)}
    return replace(batch, targets=replace(batch.targets, **targets))


def work(rank: int, folder: str, plain: bool) -> None:
    """One of the processes; the first writes what came out. plain: halves count the same."""
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=PROCESSES
    )
    weight, gradient = gradients(SHARES[rank])
    share = torch.tensor([1.0 if plain else weight])
    summed = gradient * share
    distributed.all_reduce(summed)
    distributed.all_reduce(share)
    if rank == 0:
        np.save(f"{folder}/gradient.npy", (summed / share).numpy())
    distributed.barrier()  # who ends first closes a connection that the other still reads
    distributed.destroy_process_group()


def together(folder: Path, plain: bool) -> NDArray[np.float32]:
    folder.mkdir()
    spawn(work, (str(folder), plain), nprocs=PROCESSES)  # type: ignore[no-untyped-call]
    found: NDArray[np.float32] = np.load(folder / "gradient.npy")
    return found


@pytest.mark.timeout(180)
def test_parts_weighed_by_their_weights_give_the_gradient_of_the_whole(tmp_path: Path) -> None:
    whole = gradients(slice(None))[1].numpy()
    scale = float(np.abs(whole).max())
    assert scale > 0
    weighed = together(tmp_path / "weighed", plain=False)
    np.testing.assert_allclose(weighed, whole, atol=1e-5 * scale)
    unweighed = together(tmp_path / "plain", plain=True)  # DistributedDataParallel's plain mean
    assert np.abs(unweighed - whole).max() > 1e-3 * scale
