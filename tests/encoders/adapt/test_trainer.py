from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from encoders.adapt import Objective, Options, Pair, Schedule
from encoders.adapt.head import masked_head
from encoders.adapt.methods import adapted
from encoders.adapt.trainer import Trainer, share_of_rate
from encoders.device import Placement
from encoders.transformer import TransformerEncoder

PAIRS = [Pair(f"red thing {n}", f"blue thing {n}") for n in range(12)]


def trainer(folder: Path, options: Options) -> tuple[TransformerEncoder, Trainer]:
    base = TransformerEncoder(folder, "tiny", Placement("cpu", "float32"))
    with torch.random.fork_rng():
        torch.manual_seed(1)
        method = adapted(base.pooled.model, options)
        head = masked_head(folder, base)[0] if options.objective.mlm else None
    base.pooled.model = method.model
    return base, Trainer(base, method, head, PAIRS, options)


def test_the_rate_goes_up_then_down_to_nothing() -> None:
    shares = [share_of_rate(step, 100) for step in range(101)]
    assert max(shares) == 1.0 == shares[9] == shares[10]
    assert shares[0] == 0.1
    assert shares[100] == 0.0
    assert shares[10:] == sorted(shares[10:], reverse=True)
    assert share_of_rate(0, 1) == 1.0


@pytest.mark.parametrize("mlm", [0.0, 0.5])
@pytest.mark.parametrize("adversarial", [0.0, 0.02])
def test_the_loss_falls(tiny: Path, mlm: float, adversarial: float) -> None:
    schedule = Schedule(steps=24, batch=6, accumulate=2, rate=1e-2)
    options = Options("top:1", Objective(0.2, mlm, adversarial), schedule)
    _, own = trainer(tiny, options)
    losses = [own.step(number) for number in range(24)]
    assert np.mean(losses[-6:]) < np.mean(losses[:3])


def test_each_part_adds_to_the_loss(tiny: Path) -> None:
    def first(objective: Objective) -> float:
        base, own = trainer(tiny, Options("top:1", objective))
        for one in base.pooled.modules():
            if isinstance(one, torch.nn.Dropout):  # else each look at a text is another
                one.p = 0.0
        return own.step(0)

    plain = first(Objective(mlm=0.0))
    assert first(Objective(mlm=1.0)) > plain + 1.0  # a new head knows no word: about 10
    assert first(Objective(mlm=0.0, adversarial=0.02)) > 2.0 * plain  # moved against the loss
    assert first(Objective(mlm=0.0, adversarial=0.0)) == plain


def test_accumulated_batches_are_the_mean_of_their_gradients(tiny: Path) -> None:
    """Steps of two batches move the weights, and the loss of a step is the batches' mean."""
    whole = Options("top:1", Objective(mlm=0.0), Schedule(batch=4, accumulate=3))
    single = Options("top:1", Objective(mlm=0.0), Schedule(batch=4, rate=1e-12))
    losses = [trainer(tiny, single)[1].step(0)]
    losses.append(trainer(tiny, whole)[1].step(0))
    assert losses[1] == pytest.approx(losses[0], rel=0.5)


def test_the_encoder_is_ready_to_encode_between_steps(tiny: Path) -> None:
    base, own = trainer(tiny, Options("lora"))
    own.step(0)
    assert not base.pooled.training
    np.testing.assert_array_equal(base.encode(["a b"]), base.encode(["a b"]))
