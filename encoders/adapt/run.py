"""A whole run of fine-tuning: model in, pairs and their worth, model out. The effects are here: the
folder, the checkpoint, what people are told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import torch

from encoders.adapt.checkpoint import Progress, load_progress, progress_file, save_progress
from encoders.adapt.head import masked_head
from encoders.adapt.methods import Method, adapted
from encoders.adapt.options import Options, Schedule
from encoders.adapt.pairs import Pair
from encoders.adapt.trainer import Trainer
from encoders.adapt.write import write_model
from encoders.device import Placement, choose_placement, choose_threads
from encoders.folder import find_model
from encoders.transformer import TransformerEncoder
from upwell.errors import EncoderError
from upwell.values import Vector

__all__ = ["Adapted", "Encode", "Seen", "adapt", "check_folder"]

Encode = Callable[[Sequence[str]], Vector]
"""Texts to unit vectors (n, d)."""
Seen = Callable[[int, Mapping[str, float]], None]
"""Is told of a step, from 0 before any, its `loss` or what it is worth, `validation`."""


@dataclass(frozen=True, slots=True)
class Adapted:
    """losses: of each step. scores: step and what it was worth, of each validation, the first
    before any step. weights: how many were trained. written: whether the folder holds the model of
    `best_step`; encode: by that model.
    """

    losses: Sequence[float]
    scores: Sequence[tuple[int, float]]
    best_step: int
    weights: int
    written: bool
    encode: Encode


def check_folder(out: Path, resume: bool) -> None:
    """Raises `EncoderError` where the run cannot write its model there."""
    if out.exists() and not out.is_dir():
        raise EncoderError(f"{out} is a file: name a new folder")
    if resume:
        if not progress_file(out).is_file():
            raise EncoderError(
                f"there is no {progress_file(out)} to go on from: leave --resume out"
            )
    elif progress_file(out).is_file():
        raise EncoderError(f"{out} holds a run that was stopped: --resume, or name a new folder")
    elif out.exists() and any(out.iterdir()):
        raise EncoderError(f"{out} is not empty: name a new folder")


def adapt(
    model: str,
    out: Path,
    pairs: Sequence[Pair],
    score: Callable[[Encode], float],
    options: Options,
    *,
    device: str = "auto",
    resume: bool = False,
    say: Callable[[str], None],
    seen: Seen = lambda step, figures: None,
) -> Adapted:
    """Fine-tune `model` (a name or a folder) and write it to `out`, a plain folder again. Raises
    `EncoderError`.

    score: what an encoder is worth, more is better; it decides when to stop and which weights stay.
    seen: of steps in their order, those before a resumed one too.
    Nothing is written where none is better than before, or the method's result is no plain model.
    """
    check_folder(out, resume)
    if not pairs:
        raise EncoderError("there are no pairs of texts to learn from: give a longer log")
    source = find_model(model)
    where = choose_placement(device).device
    base = TransformerEncoder(source, source.name, Placement(where, "float32"))
    if base.halved:
        raise EncoderError(
            f"model {model!r} reads and writes, and only the half that reads is loaded: that "
            "cannot be written back; take one that only reads"
        )
    torch.set_num_threads(choose_threads(0, where))
    name = _name(base.revision, pairs, options)
    with torch.random.fork_rng():
        torch.manual_seed(options.seed)  # of what begins at random
        method, trainer = _made_ready(base, source, pairs, options, say)
    run = _Run(base, method, trainer, options.schedule, _Place(out, name), score, say, seen)
    run.begin(resume)
    run.go_on()
    return run.end(source, options.merges)


@dataclass(frozen=True, slots=True)
class _Place:
    """folder: of the model, and until then of the checkpoint. name: of the run."""

    folder: Path
    name: str


class _Run:
    """Steps, validations, checkpoints, until no more of them bring anything."""

    def __init__(
        self,
        base: TransformerEncoder,
        method: Method,
        trainer: Trainer,
        schedule: Schedule,
        place: _Place,
        score: Callable[[Encode], float],
        say: Callable[[str], None],
        seen: Seen,
    ) -> None:
        self._base, self._method, self._trainer = base, method, trainer
        self._schedule, self._place = schedule, place
        self._score, self._say, self._seen = score, say, seen
        self._progress = Progress()

    def begin(self, resume: bool) -> None:
        """Where the checkpoint says, or with what the model is worth as it is."""
        self._place.folder.mkdir(parents=True, exist_ok=True)
        if resume:
            self._progress = load_progress(self._place.folder, self._place.name)
            self._trainer.recall(self._progress)
            self._say(f"goes on after step {self._progress.step:,}")
            self._show_earlier()
        else:
            self._validate()

    def go_on(self) -> None:
        """To the last step, or until patience ends."""
        own, schedule = self._progress, self._schedule
        while own.step < schedule.steps and own.in_vain < schedule.patience:
            own.losses.append(self._trainer.step(own.step))
            own.step += 1
            self._seen(own.step, {"loss": own.losses[-1]})
            if own.step % schedule.every == 0 or own.step == schedule.steps:
                self._validate()

    def end(self, source: Path, merges: bool) -> Adapted:
        """The best weights, written where they are better than those of before."""
        own, trained = self._progress, self._method.trained()
        weights = sum(one.numel() for one in trained.values())
        with torch.no_grad():
            for name, one in trained.items():
                one.copy_(own.best[name])
        written = merges and own.best_step > 0
        if written:
            self._base.pooled.model = self._method.merged()
            write_model(self._base.pooled.model, source, self._place.folder)
        progress_file(self._place.folder).unlink()
        if not written:
            self._place.folder.rmdir()
        return Adapted(own.losses, own.scores, own.best_step, weights, written, self._base.encode)

    def _show_earlier(self) -> None:
        own = self._progress
        scores = dict(own.scores)
        for step in range(own.step + 1):
            if step:
                self._seen(step, {"loss": own.losses[step - 1]})
            if step in scores:
                self._seen(step, {"validation": scores[step]})

    def _validate(self) -> None:
        own = self._progress
        own.scores.append((own.step, self._score(self._base.encode)))
        self._seen(own.step, {"validation": own.scores[-1][1]})
        if own.best_step == own.step:
            trained = self._method.trained()
            own.best = {name: one.detach().clone() for name, one in trained.items()}
        own.state = self._trainer.state()
        save_progress(self._place.folder, own, self._place.name)
        loss = f", loss {own.losses[-1]:.4f}" if own.losses else ""
        self._say(f"step {own.step:,}{loss}, validation {own.scores[-1][1]:.4f}")


def _made_ready(
    base: TransformerEncoder,
    source: Path,
    pairs: Sequence[Pair],
    options: Options,
    say: Callable[[str], None],
) -> tuple[Method, Trainer]:
    """The model with what is trained of it, in the place of the plain one."""
    method = adapted(base.pooled.model, options)
    head = None
    if options.objective.mlm:
        head, known = masked_head(source, base)
        if not known:
            say(
                "the model's weights have no head of masked-language modelling: a new one is "
                "trained beside it, tied to its word embeddings"
            )
    base.pooled.model = method.model
    return method, Trainer(base, method, head, pairs, options)


def _name(revision: str, pairs: Sequence[Pair], options: Options) -> str:
    """Of a run: the same for the same model, pairs and options."""
    digest = sha256(f"{revision}\n{options!r}\n".encode())
    for pair in pairs:
        digest.update(f"{pair.anchor}\n{pair.positive}\n".encode())
    return digest.hexdigest()
