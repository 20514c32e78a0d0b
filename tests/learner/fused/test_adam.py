"""The optimizer makes the steps of torch's, also where it goes on from what another remembers."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from learner.fused.adam import AdamW

RATE, BETAS, DECAY = 2e-3, (0.9, 0.98), 0.01


def weights(seed: int = 1) -> dict[str, nn.Parameter]:
    generator = torch.Generator().manual_seed(seed)
    shapes = {"matrix": (3, 4), "row": (5,), "one": (1,), "unused": (2,)}
    return {
        name: nn.Parameter(torch.randn(shape, generator=generator))
        for name, shape in shapes.items()
    }


def backward(of: dict[str, nn.Parameter], step: int) -> None:
    generator = torch.Generator().manual_seed(step)
    for name, weight in of.items():
        if name != "unused":
            weight.grad = torch.randn(weight.shape, generator=generator)


def test_steps_are_those_of_torch() -> None:
    ours, theirs = weights(), weights()
    mine = AdamW(ours, RATE, BETAS, DECAY)
    peer = torch.optim.AdamW(theirs.values(), lr=RATE, betas=BETAS, weight_decay=DECAY)
    for step in range(30):
        backward(ours, step)
        backward(theirs, step)
        mine.step()
        peer.step()
    for name, weight in ours.items():
        torch.testing.assert_close(weight, theirs[name], rtol=1e-6, atol=1e-7)
    assert torch.equal(ours["unused"], weights()["unused"])
    mine.zero_grad()
    assert all(weight.grad is None for weight in ours.values())


@pytest.mark.parametrize("after", [0, 1, 7])
def test_it_goes_on_from_what_another_remembers(after: int) -> None:
    whole, cut = weights(), weights()
    first, before = AdamW(whole, RATE, BETAS, DECAY), AdamW(cut, RATE, BETAS, DECAY)
    for step in range(after):
        for one, optimizer in ((whole, first), (cut, before)):
            backward(one, step)
            optimizer.step()
    resumed = AdamW(cut, RATE, BETAS, DECAY)
    resumed.restore({name: np.atleast_1d(array) for name, array in before.arrays().items()})
    for one, optimizer in ((whole, first), (cut, resumed)):
        backward(one, 99)
        optimizer.step()
    for name, weight in whole.items():
        assert torch.equal(weight, cut[name])


def test_what_was_forgotten_moves_nothing() -> None:
    one, fresh = weights(), weights()
    optimizer = AdamW(one, RATE, BETAS, DECAY)
    backward(one, 1)
    optimizer.step()
    optimizer.forget()
    assert optimizer.arrays() == {}
    for name, weight in one.items():
        weight.data.copy_(fresh[name].data)
    for some, by in ((one, optimizer), (fresh, AdamW(fresh, RATE, BETAS, DECAY))):
        backward(some, 2)
        by.step()
    for name, weight in one.items():
        assert torch.equal(weight, fresh[name])


def test_what_does_not_fit_is_refused() -> None:
    one = weights()
    optimizer = AdamW(one, RATE, BETAS, DECAY)
    backward(one, 1)
    optimizer.step()
    with pytest.raises(RuntimeError):
        optimizer.restore(optimizer.arrays() | {"row.exp_avg": np.zeros(4, np.float32)})


def test_to_train_loads_no_compiler() -> None:
    """It costs each start seconds."""
    code = (
        "import sys; from tests.learner.toy import trainer; made = trainer(); made.train(2);"
        "print(made.steps, 'torch._dynamo' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["2", "False"]
