"""A learner of a client takes over what all know, and says what it added."""

from __future__ import annotations

import numpy as np

from learner.federated.options import Options
from tests.learner.federated.small import (
    FUSED,
    TEXTS,
    join,
    report,
    rounds_of,
    sent,
    site_of,
    split,
    take,
    teach,
)


def test_after_a_round_all_rank_by_the_same_model() -> None:
    rounds, sites = rounds_of(Options(clients=2, rounds=1), FUSED), [site_of(FUSED), site_of(FUSED)]
    for number in range(2):
        join(rounds, f"c{number}", FUSED)
    rounds.step(0.0)
    for number, site in enumerate(sites):
        take(rounds, f"c{number}", site)
        teach(site, split(160, 2)[number])
        assert report(rounds, f"c{number}", site) is None
    assert rounds.step(1.0)
    for number, site in enumerate(sites):
        take(rounds, f"c{number}", site)
        own = site.learner.parameters.whole()
        np.testing.assert_allclose(
            own["fused.network.project"], rounds.model.weights["fused.network.project"]
        )
    one, other = (site.learner for site in sites)
    assert one.version.partition("-")[2] == other.version.partition("-")[2]
    assert sites[0].report().norm < 1e-2  # identities are rounded to float16
    assert sites[0].report().passed.events == 0


def test_items_of_another_text_and_items_that_nobody_else_has() -> None:
    shared = {one: text for one, text in TEXTS.items() if one != "i1"}
    rounds = rounds_of(Options(clients=3, rounds=1))
    odd = site_of(texts=TEXTS | {"i0": "a shoe"})
    for name, texts in (("c0", TEXTS | {"i0": "a shoe"}), ("c1", shared), ("c2", shared)):
        join(rounds, name, texts=texts)
    rounds.step(0.0)
    odd.take(sent(rounds.model), False)
    teach(odd, split(100, 1)[0])
    told = odd.report()
    ids = rounds.model.layout.ids
    assert odd.disputed == ["i0"]
    assert told.counted.sums[:, ids.index("i0")].sum() == 0.0
    assert told.counted.sums[:, ids.index("i1")].sum() > 0.0
    assert told.weights["gate.bias"][ids.index("i0")] == 0.0
    row = odd.learner.ranking.catalogue.row("i0")
    before = odd.learner.ranking.state().popularity.values[8, row]
    odd.take(sent(rounds.model), False)
    assert odd.learner.ranking.state().popularity.values[8, row] == before > 0.0


def test_tables_of_pairs_that_nobody_shares_stay() -> None:
    rounds, site = rounds_of(Options(clients=1, rounds=2)), site_of()
    join(rounds, "c0")
    rounds.step(0.0)
    take(rounds, "c0", site)
    teach(site, split(100, 1)[0])
    held = int(site.learner.ranking.state().pairs.sizes.sum())
    site.take(rounds.model, True, own_tables=True)
    assert int(site.learner.ranking.state().pairs.sizes.sum()) == held > 0
    site.take(rounds.model, True)
    assert int(site.learner.ranking.state().pairs.sizes.sum()) == 0
