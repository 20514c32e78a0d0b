"""SASRec (Kang, McAuley 2018) as a peer, from RePlay, refitted from scratch on all that came before
every 5,000 events.

Needs `uv pip install 'replay-rec[torch]>=0.22,<0.23'` (the dependency group `bench`; it takes
scikit-learn back to 1.8). Model, loss and optimizer are the library's, at its defaults: 192
dimensions, 2 blocks of 4 heads, the last 50 events, dropout .3, cross-entropy over the vocabulary,
Adam at .001. It has no default for batches and epochs. Batches are 32 windows; whole histories are
cut into windows. Epochs are found at each refit: a fit on the first nine tenths is scored on the
last tenth after each epoch, up to 60, until 8 in a row bring nothing, and a second fit on all runs
for as many as scored best. The vocabulary is the items that had an event by the last fit, others
rank last; between fits the model reads a user's history as it is now. Every event counts, liked or
not, as for the other peers.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence, Sized
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bench.peers.baselines import OrPopular, Peer, Scores

__all__ = ["SASRec", "sasrec_peers", "windows"]

REFIT_EVERY = 5_000
LAST = 50
DIMENSIONS = 192
BATCH = 32
MOST_EPOCHS = 60
PATIENCE = 8
SEED = 7


def windows(sequence: Sequence[int], padding: int) -> NDArray[np.int64]:
    """(W, 51): a user's events in windows that overlap by one, the first padded on the left; each
    event but the first is once a target.
    """
    parts = [sequence[max(0, end - LAST - 1) : end] for end in range(len(sequence), 1, -LAST)][::-1]
    return np.array(
        [[padding] * (LAST + 1 - len(part)) + list(part) for part in parts], dtype=np.int64
    ).reshape(-1, LAST + 1)


class SASRec:
    """The events so far, and a model of them that is made anew now and then."""

    def __init__(self, items: int) -> None:
        self._items = items
        self._events: list[tuple[str, int]] = []
        self._vocabulary: NDArray[np.int64] = np.zeros(
            0, dtype=np.int64
        )  # the catalogue row of each token
        self._tokens: dict[int, int] = {}
        self._model: Any = None

    def learn(self, user: str, rows: Sequence[int], row: int) -> None:
        self._events.append((user, row))
        if len(self._events) % REFIT_EVERY == 0:
            started = time.perf_counter()
            self._vocabulary = np.unique([row for _, row in self._events])
            self._tokens = {row: token for token, row in enumerate(self._vocabulary.tolist())}
            epochs = self._best_epochs()
            *_, self._model = _epochs(
                _all_windows(self._sequences(self._events), self._padding), self._padding, epochs
            )
            seconds = time.perf_counter() - started
            print(
                f"sasrec: {len(self._events):,} events, {self._padding:,} items, {epochs} "
                f"epochs, {seconds:.0f} s",
                file=sys.stderr,
            )

    def score(self, user: str, rows: Sequence[int]) -> Scores:
        history = [self._tokens[row] for row in rows if row in self._tokens][-LAST:]
        if not history:
            return np.zeros(self._items, np.float32)
        scores = np.full(self._items, -np.inf, dtype=np.float32)
        tokens = torch.tensor([[self._padding] * (LAST - len(history)) + history])
        with torch.inference_mode():
            scores[self._vocabulary] = self._model(*_inputs(tokens, self._padding))["logits"][
                0
            ].numpy()
        return scores

    @property
    def _padding(self) -> int:
        return len(self._vocabulary)

    def _sequences(self, events: Sequence[tuple[str, int]]) -> dict[str, list[int]]:
        sequences: dict[str, list[int]] = defaultdict(list)
        for user, row in events:
            sequences[user].append(self._tokens[row])
        return sequences

    def _best_epochs(self) -> int:
        """How many epochs on the first nine tenths score best (NDCG@10) on the last; ends when
        PATIENCE more brought nothing.
        """
        known = self._sequences(self._events[: len(self._events) * 9 // 10])
        train, test, held = (
            _all_windows(known, self._padding),
            *_held_out(known, self._sequences(self._events), self._padding),
        )
        best, best_epoch = -1.0, 0
        for epoch, model in enumerate(_epochs(train, self._padding, MOST_EPOCHS), start=1):
            score = _ndcg10(model, test, held, self._padding)
            if score > best:
                best, best_epoch = score, epoch
            elif epoch - best_epoch >= PATIENCE:
                break
        return best_epoch


def _all_windows(sequences: dict[str, list[int]], padding: int) -> Tensor:
    return torch.from_numpy(
        np.concatenate([windows(sequence, padding) for sequence in sequences.values()])
    )


def _held_out(
    known: dict[str, list[int]], sequences: dict[str, list[int]], padding: int
) -> tuple[Tensor, Tensor]:
    """(W, 51) windows of whole sequences, and (W, 50) which of their targets are held out and of a
    known item.
    """
    items = {token for sequence in known.values() for token in sequence}
    parts, masks = [], []
    for user, sequence in sequences.items():
        before = len(known.get(user, ()))
        fresh = [
            index if position >= before and index in items else padding
            for position, index in enumerate(sequence)
        ]
        parts.append(windows(sequence, padding))
        masks.append(windows(fresh, padding)[:, 1:] != padding)
    held = np.concatenate(masks)
    some = held.any(axis=1)
    return torch.from_numpy(np.concatenate(parts)[some]), torch.from_numpy(held[some])


def _epochs(train: Tensor, padding: int, epochs: int) -> Iterator[Any]:
    """The model after each epoch, ready to score."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        model, optimizer = _new_model(padding)
        for _ in range(epochs):
            model.train()
            for rows in torch.split(torch.randperm(len(train)), BATCH):
                targets = train[rows, 1:, None]
                inputs = _inputs(train[rows, :-1], padding)
                output = model(
                    *inputs, positive_labels=targets, target_padding_mask=targets != padding
                )
                optimizer.zero_grad()
                output["loss"].backward()
                optimizer.step()
            yield model.eval()


def _inputs(tokens: Tensor, padding: int) -> tuple[dict[str, Tensor], Tensor]:
    """tokens: (B, 50). The features and the mask that the library's model takes."""
    return {"item_id": tokens}, tokens != padding


def _ndcg10(model: Any, test: Tensor, held: Tensor, padding: int) -> float:
    """Of the held-out targets among the vocabulary."""
    gains = []
    with torch.inference_mode():
        for some, mask in zip(torch.split(test, BATCH), torch.split(held, BATCH), strict=True):
            logits = model.get_logits(
                model.body(*_inputs(some[:, :-1], padding))[mask]
            )  # (n, vocabulary)
            ranks = 1 + (logits > logits.gather(1, some[:, 1:][mask][:, None])).sum(dim=1)
            gains.append(torch.where(ranks <= 10, 1.0 / torch.log2(1.0 + ranks), 0.0))
    return float(torch.cat(gains).mean()) if gains else 0.0


def _new_model(items: int) -> tuple[Any, torch.optim.Optimizer]:
    """The library's SASRec over so many items, and its optimizer."""
    from replay.data import FeatureHint, FeatureSource, FeatureType  # an extra, and slow to load
    from replay.data.nn import TensorFeatureInfo, TensorFeatureSource, TensorSchema
    from replay.nn.lightning.optimizer import OptimizerFactory
    from replay.nn.sequential import SasRec

    feature = TensorFeatureInfo(
        "item_id",
        FeatureType.CATEGORICAL,
        is_seq=True,
        embedding_dim=DIMENSIONS,
        padding_value=items,
        cardinality=items,
        feature_hint=FeatureHint.ITEM_ID,
        feature_sources=[TensorFeatureSource(FeatureSource.INTERACTIONS, "item_id")],
    )
    model = SasRec.from_params(
        TensorSchema([feature]), embedding_dim=DIMENSIONS, max_sequence_length=LAST
    )
    return model, OptimizerFactory().create(model.parameters())


def sasrec_peers(catalogue: Sized) -> dict[str, Peer]:
    """It, by name."""
    items = len(catalogue)
    return {"sasrec": OrPopular(SASRec(items), items)}
