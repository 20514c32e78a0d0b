"""A run of fine-tuning: what it writes, when it stops, that it can be killed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from encoders import load_encoder
from encoders.adapt import Objective, Options, Pair, Schedule
from encoders.adapt.checkpoint import progress_file
from encoders.adapt.run import Adapted, Encode, Seen, adapt
from encoders.adapt.trainer import Trainer
from tests.encoders.tiny import message
from upwell.errors import EncoderError

WORDS = ("apple pear plum", "hammer saw nail", "violin oboe flute", "river lake sea")
PAIRS = [
    Pair(f"{left} {n}", f"{right} {n}")
    for words in WORDS
    for n, (left, right) in enumerate(zip(words.split(), words.split()[1:], strict=False))
]


def nearness(encode: Encode) -> float:
    """How near pairs are, less how near others are."""
    anchors = encode([one.anchor for one in PAIRS])
    positives = encode([one.positive for one in PAIRS])
    scores = anchors @ positives.T
    return float(np.diag(scores).mean() - scores.mean())


def options(method: str, every: int = 4, patience: int = 3, steps: int = 12) -> Options:
    rate = 0.1 if method == "adalora" else 1e-2
    schedule = Schedule(steps=steps, batch=8, rate=rate, every=every, patience=patience)
    return Options(method, Objective(0.2, 0.1, 0.1), schedule, seed=3)


def run(
    tiny: Path,
    out: Path,
    own: Options,
    score: Callable[[Encode], float] = nearness,
    pairs: Sequence[Pair] = PAIRS,
    resume: bool = False,
    seen: Seen = lambda step, figures: None,
) -> Adapted:
    return adapt(
        str(tiny),
        out,
        pairs,
        score,
        own,
        device="cpu",
        resume=resume,
        say=lambda _: None,
        seen=seen,
    )


@pytest.mark.parametrize("method", ["lora", "adalora", "ia3", "top:1"])
def test_the_folder_holds_the_best_model(tiny: Path, tmp_path: Path, method: str) -> None:
    found = run(tiny, tmp_path / "out", options(method))
    assert found.written
    assert found.best_step > 0
    assert not progress_file(tmp_path / "out").exists()
    best = dict(found.scores)[found.best_step]
    assert best == max(score for _, score in found.scores)
    assert nearness(found.encode) == pytest.approx(best, abs=1e-4)
    encoder = load_encoder(str(tmp_path / "out"), device="cpu", engine="torch")
    assert nearness(encoder.encode) == pytest.approx(best, abs=0.02)
    encoder.close()


@pytest.mark.parametrize("method", ["lora", "adalora", "top:1", "prefix"])
def test_a_run_that_was_killed_between_steps_ends_as_one_that_was_not(
    tiny: Path, tmp_path: Path, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = run(tiny, tmp_path / "whole", options(method))
    step = Trainer.step

    def killed(self: Trainer, number: int) -> float:
        if number == 10:
            raise KeyboardInterrupt
        return step(self, number)

    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "step", killed)
        with pytest.raises(KeyboardInterrupt):
            run(tiny, tmp_path / "out", options(method))
    assert [one.name for one in (tmp_path / "out").iterdir()] == ["adapt.checkpoint"]
    resumed = run(tiny, tmp_path / "out", options(method), resume=True)
    assert len(resumed.losses) == len(undisturbed.losses) == 12
    np.testing.assert_allclose(resumed.losses, undisturbed.losses, rtol=1e-4)
    np.testing.assert_allclose(
        [one for _, one in resumed.scores], [one for _, one in undisturbed.scores], atol=1e-4
    )


def test_each_step_is_seen_and_after_a_kill_those_before_it_too(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, dict[str, float]]] = []

    def see(step: int, figures: Mapping[str, float]) -> None:
        seen.append((step, dict(figures)))

    def killed(step: int, figures: Mapping[str, float]) -> None:
        if step == 3:
            raise KeyboardInterrupt

    own = options("lora", every=2, steps=4)
    with pytest.raises(KeyboardInterrupt):
        run(tiny, tmp_path / "out", own, seen=killed)
    found = run(tiny, tmp_path / "out", own, resume=True, seen=see)
    assert [(step, *figures) for step, figures in seen] == [
        (0, "validation"),
        (1, "loss"),
        (2, "loss"),
        (2, "validation"),
        (3, "loss"),
        (4, "loss"),
        (4, "validation"),
    ]
    assert [figures["loss"] for _, figures in seen if "loss" in figures] == found.losses
    told = [(step, figures["validation"]) for step, figures in seen if "validation" in figures]
    assert told == found.scores


def test_it_stops_when_nothing_gets_better_and_keeps_the_best(tiny: Path, tmp_path: Path) -> None:
    scores = iter([0.1, 0.3, 0.2, 0.2, 0.9])
    own = options("lora", every=2, patience=2, steps=100)
    found = run(tiny, tmp_path / "out", own, lambda _: next(scores))
    assert [step for step, _ in found.scores] == [0, 2, 4, 6]
    assert found.best_step == 2
    assert found.written


def test_what_is_no_better_is_not_written(tiny: Path, tmp_path: Path) -> None:
    scores = iter([0.5, 0.1, 0.1])
    found = run(tiny, tmp_path / "out", options("lora", patience=2), lambda _: next(scores))
    assert (found.best_step, found.written) == (0, False)
    assert not (tmp_path / "out").exists()


def test_a_prefix_is_not_written(tiny: Path, tmp_path: Path) -> None:
    found = run(tiny, tmp_path / "out", options("prefix"))
    assert not found.written
    assert not (tmp_path / "out").exists()
    assert nearness(found.encode) == pytest.approx(max(one for _, one in found.scores), abs=1e-4)


def test_the_same_seed_gives_the_same_losses(tiny: Path, tmp_path: Path) -> None:
    one, other = (run(tiny, tmp_path / name, options("lora", steps=4)) for name in "ab")
    assert one.losses == other.losses


def test_a_folder_that_is_taken_and_a_run_without_pairs_are_refused(
    tiny: Path, tmp_path: Path
) -> None:
    own = options("lora")
    assert "is not empty" in message(lambda: run(tiny, tiny, own))
    assert "is a file" in message(lambda: run(tiny, tiny / "config.json", own))
    assert "leave --resume out" in message(lambda: run(tiny, tmp_path / "o", own, resume=True))
    assert "no pairs" in message(lambda: run(tiny, tmp_path / "o", own, pairs=[]))
    (tmp_path / "o").mkdir()
    progress_file(tmp_path / "o").touch()
    with pytest.raises(EncoderError, match="holds a run that was stopped"):
        run(tiny, tmp_path / "o", own)
