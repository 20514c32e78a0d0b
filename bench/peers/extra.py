"""The peers that a bench adds on demand: models, most of them fitted anew now and then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from bench.peers.baselines import Peer
from bench.peers.ease import ease_peers
from bench.peers.item_knn import item_knn_peers

__all__ = ["MakePeers", "extra_peers"]

MakePeers = Callable[[NDArray[np.float32]], Mapping[str, Peer]]
"""Peers by name, of items with these texts, (N, d)."""


def extra_peers(linear: bool, sequence: bool, implicit: bool, sasrec: bool) -> list[MakePeers]:
    """linear: EASE and ItemKNN. implicit, sasrec: need a library beside the lock's: one that is
    missing is said now, not after the run.
    """
    made: list[MakePeers] = [ease_peers, item_knn_peers] if linear else []
    if sequence:
        from bench.peers.sequence import sequence_peers  # torch is slow to load

        made.append(sequence_peers)
    if implicit:
        from bench.peers.implicit import implicit_peers

        made.append(implicit_peers)
    if sasrec:
        from bench.peers.sasrec import sasrec_peers

        version("replay-rec")  # which it loads late
        made.append(sasrec_peers)
    return made
