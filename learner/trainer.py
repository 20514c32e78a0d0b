"""Mini-batch training of the fused model from a replay buffer: one step is a sample of windows, every position a target.

Small weights by AdamW, identity embeddings by row-wise Adagrad over the rows of the batch alone. It knows nothing about streams.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from learner import losses
from learner.buffer import ExampleBatch, ReplayBuffer, Windows
from learner.fused import KINDS, LENGTH, WIDTH, FusedModel
from learner.negatives import Negatives, NegativeSampler
from upwell.settings import LearnerSettings
from upwell.values import LIKED_RATING, POSITIVE_KINDS

__all__ = ["TrainReport", "Trainer"]

BATCH = 48
UNIFORM = 256
POPULAR = 256
POSITIONS = 4096
DROPOUT = 0.1
ID_DROPOUT = 0.2
RATE = 2e-3
ID_RATE = 0.1
DECAY = 0.01
CLIP = 1.0
ANY = 0.2
HORIZON = 1
FADE = 0.8
THIN = 0.0
INBATCH = True
TEMP = 1.0
POPID = 0.0
CAPACITY, RECENT = 20_000, 128
_POSITIVE = np.array([kind in POSITIVE_KINDS for kind in KINDS])


class Trainer:
    def __init__(self, model, settings, seed, threads=1):
        self.model = model
        self.settings = settings
        self.seed = seed
        self.steps = 0
        self.buffer = ReplayBuffer(CAPACITY, RECENT, model.dimension, seed)
        self.opt = torch.optim.AdamW(model.network.parameters(), lr=RATE, weight_decay=DECAY, betas=(0.9, 0.98))
        self.threads = threads

    def train(self, steps):
        m = self.model
        sampler = NegativeSampler(m.announced[: m.size], m.counts[: m.size])
        tot = 0.0
        touched = []
        for _ in range(steps):
            self.steps += 1
            rng = np.random.default_rng([self.seed, self.steps])
            w = self.buffer.sample(BATCH, rng)
            l, rows = self.step(w, sampler, rng)
            tot += l
            touched.append(rows)
        if touched:
            m.trained(np.unique(np.concatenate(touched)))
        return tot / max(1, steps)

    def step(self, w, sampler, rng):
        m = self.model
        net = m.network
        if THIN:
            w = thin(w, rng)
        T = int(w.lengths.max())
        rows = w.rows[:, :T].astype(np.int64)
        here = np.arange(T) < w.lengths[:, None]
        liked = np.where(np.isnan(w.ratings[:, :T]), _POSITIVE[w.kinds[:, :T]], w.ratings[:, :T] >= LIKED_RATING)
        wt = np.where(liked, 1.0, ANY) * here
        wt[~w.first, 0] = 0
        wt[rows < 0] = 0
        wt *= m.announced[rows.clip(min=0)]
        b, k = np.nonzero(here & ((np.arange(T) > 0) | w.first[:, None])) if HORIZON > 1 else np.nonzero(wt > 0)
        if len(b) > POSITIONS:
            s = np.sort(rng.choice(len(b), POSITIONS, replace=False)); b, k = b[s], k[s]
        targets = rows[b, k]
        neg = sampler.draw(targets if INBATCH else targets[:0], UNIFORM, POPULAR, rng)
        used, codes = np.unique(np.concatenate([rows.clip(min=0).ravel(), neg.rows]), return_inverse=True)
        place = codes[: rows.size].reshape(rows.shape)
        negp = codes[rows.size :]
        ids = torch.from_numpy(m.identities[used]).requires_grad_()
        keep = torch.from_numpy((rng.random((len(used), 1)) >= ID_DROPOUT).astype(np.float32))
        texts = torch.from_numpy(m.vectors[used])
        table = net.item_vectors(texts, ids * keep, torch.from_numpy(m.counts[used]))
        ev = m.events(place[:, :-1] if T > 1 else place[:, :0], w.kinds[:, : T - 1], w.ratings[:, : T - 1], w.ts[:, : T - 1], np.minimum(w.lengths, T - 1))
        if T > 1:
            mask = torch.from_numpy((rng.random((len(rows), T - 1, WIDTH), dtype=np.float32) >= DROPOUT).astype(np.float32) / (1 - DROPOUT)) if DROPOUT else None
            st = net.states(table[:, :WIDTH], ev, mask)
            st = F.pad(st, (0, 0, 1, 0))
            ptext = (texts @ net.project)[ev.items]
            dts = torch.from_numpy(((w.ts[:, : T - 1] - w.ts.max(axis=1, keepdims=True)) / (self.settings.intent_half_life_days * 86.4e6)).clip(-100, 0).astype(np.float32))
            ww = ev.weights * torch.exp2(dts)
            cum = F.pad((ptext * ww.unsqueeze(-1)).cumsum(1), (0, 0, 1, 0))
            wished = F.pad((ww != 0).cumsum(1) > 0, (1, 0))
        else:
            st = torch.zeros(len(rows), 1, WIDTH); cum = st; wished = torch.zeros(len(rows), 1, dtype=torch.bool)
        bi, ki = torch.from_numpy(b), torch.from_numpy(k)
        lens = ki
        u = m.join(st[bi, ki], cum[bi, ki], lens, wished[bi, ki])
        u = F.pad(u, (0, 1), value=1.0)
        u = u * TEMP
        kk = k[:, None] + np.arange(HORIZON)
        inside = kk < T
        kk = kk.clip(max=T - 1)
        tr_ = rows[b[:, None], kk]
        tw = wt[b[:, None], kk] * inside * FADE ** np.arange(HORIZON)
        tp = torch.from_numpy(place[b[:, None], kk])
        right = (table[tp] * u.unsqueeze(1)).sum(-1)
        wrong = u @ table[torch.from_numpy(negp)].T - torch.from_numpy(neg.log_inclusion)
        pos_of = np.full(len(used), -1); pos_of[negp] = np.arange(len(negp))
        hit = pos_of[place[b[:, None], kk]]
        coll = np.zeros((len(b), len(negp) + 1), bool)
        np.put_along_axis(coll, np.where((hit >= 0) & inside, hit, len(negp)), True, 1)
        wrong = wrong.masked_fill(torch.from_numpy(coll[:, :-1]), -1e9)
        lse = torch.logsumexp(wrong, 1, keepdim=True)
        twt = torch.from_numpy(tw.astype(np.float32))
        loss = (F.softplus(lse - right) * twt).sum() / twt.sum()
        self.opt.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), CLIP)
        self.opt.step()
        g = ids.grad.numpy()
        g = g * len(used) ** 0 
        sq = (g * g).mean(1)
        m.squares[used] += sq
        nz = sq > 0
        r = used[nz]
        m.identities[r] -= ID_RATE * g[nz] / (np.sqrt(m.squares[r])[:, None] + 1e-8)
        return float(loss), r


def thin(w, rng):
    n, width = w.rows.shape
    p = rng.random((n, 1)) * THIN
    keep = (rng.random((n, width)) >= p) & (np.arange(width) < w.lengths[:, None])
    keep[np.arange(n), w.lengths - 1] = True
    order = np.argsort(~keep, axis=1, kind="stable")
    L = keep.sum(1)
    out = {}
    for name in ("rows", "kinds", "ratings", "ts"):
        x = np.take_along_axis(getattr(w, name), order, 1).copy()
        x[np.arange(width) >= L[:, None]] = -1 if name == "rows" else 0
        out[name] = x
    return Windows(out["rows"], out["kinds"], out["ratings"], out["ts"], L, w.first, w.intents, w.hard)
