"""The peers that a bench adds on demand: models, most of them fitted anew now and then."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version

from bench.peers.baselines import Peer
from bench.peers.ease import ease_peers
from bench.peers.item_knn import item_knn_peers
from upwell.values import CatalogueItem

__all__ = ["MakePeers", "extra_peers"]

MakePeers = Callable[[Sequence[CatalogueItem]], Mapping[str, Peer]]
"""Peers by name, of these items."""


def extra_peers(
    linear: bool, sequence: bool, implicit: bool, sasrec: bool, graph: bool
) -> list[MakePeers]:
    """linear: EASE and ItemKNN. implicit, sasrec, graph: need a library beside the lock's: one that
    is missing is said now, not after the run.
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
    if graph:
        from bench.peers.graph import graph_peers

        version("torch-geometric")  # likewise
        made.append(graph_peers)
    return made
