"""Rounds: what all learned together is what one would have counted, whoever dies, lags, lies, comes
again or does not fit.
"""

from __future__ import annotations

import numpy as np
import pytest

from learner.federated.aggregate import least_reports
from learner.federated.counted import read_counted
from learner.federated.options import Joined, Options, difference
from learner.federated.rounds import Rounds
from learner.federated.site import Site
from learner.training.learner import Learner
from tests.learner.federated.small import (
    FUSED,
    SESSION,
    join,
    report,
    rounds_of,
    site_of,
    split,
    take,
    teach,
)
from tests.learner.training.small import SETTINGS, learner_of, log
from upwell.errors import ModelError

CLIENTS, EVENTS = 3, 240
FADING = 8
"""Rows of sums that decay within a round; behind them stand those of long half-lives and none."""


def begun(options: Options | None = None) -> tuple[Rounds, dict[str, Site]]:
    rounds = rounds_of(options or Options(clients=CLIENTS, rounds=2))
    sites = {f"c{one}": site_of() for one in range(CLIENTS)}
    for name in sites:
        join(rounds, name)
    rounds.step(0.0)
    return rounds, sites


def stretch(name: str, number: int) -> list:  # type: ignore[type-arg]
    own = split(EVENTS, CLIENTS)[int(name[1:])]
    return own[len(own) * number // 2 : len(own) * (number + 1) // 2]


def assert_like_one_learner(rounds: Rounds, learner: Learner) -> None:
    """Of what is counted for good: all but what fades within a round."""
    one = read_counted(learner.ranking.counts, learner.items)
    ids = learner.ranking.catalogue.ids
    places = np.array([ids.index(item) for item in rounds.model.layout.ids])
    together = rounds.model.counted.placed(places, len(ids))
    assert together.clock == one.clock
    for row in (8, 11, 12):  # events, likes, people
        np.testing.assert_allclose(together.sums[row], one.sums[row], atol=1e-6)
    for name in ("pairs", "near"):  # no row is full
        table = one.tables[name]
        np.testing.assert_allclose(together.tables[name].at(table.keys), table.values, atol=1e-4)


def test_together_they_count_what_one_learner_counts() -> None:
    rounds, sites = begun()
    for number in range(2):
        for name, site in sites.items():
            take(rounds, name, site)
            teach(site, stretch(name, number))
            assert rounds.step(1.0) is False
            assert report(rounds, name, site) is None
        assert rounds.step(1.0)
        rounds.step(1.0)
    assert rounds.over
    assert_like_one_learner(rounds, learner_of(log(EVENTS)[0]))


def test_one_who_lags_is_waited_for_no_longer_than_a_round_and_loses_nothing() -> None:
    rounds, sites = begun(Options(clients=CLIENTS, rounds=3, deadline_s=10.0))
    for name, site in sites.items():
        take(rounds, name, site)
        teach(site, stretch(name, 0))
        if name != "c2":
            assert report(rounds, name, site) is None
    assert rounds.step(9.0) is False
    assert rounds.step(10.0)
    rounds.step(10.0)
    assert "is over" in str(report(rounds, "c2", sites["c2"]))
    assert (rounds.told["refused_late"], rounds.told["waited_in_vain"]) == (1, 1)
    for name, site in sites.items():
        take(rounds, name, site)
        teach(site, stretch(name, 1))
        assert report(rounds, name, site) is None
    assert rounds.step(11.0)
    assert_like_one_learner(rounds, learner_of(log(EVENTS)[0]))


def test_one_who_dies_holds_no_round_up_and_comes_again_with_nothing_twice_or_lost() -> None:
    rounds, sites = begun(Options(clients=CLIENTS, rounds=3))
    for name, site in sites.items():
        take(rounds, name, site)
        teach(site, stretch(name, 0))
        assert report(rounds, name, site) is None
    assert rounds.step(1.0)
    rounds.step(1.0)
    rounds.left("c1")  # in the midst of its second round
    for name in ("c0", "c2"):
        take(rounds, name, sites[name])
        teach(sites[name], stretch(name, 1))
        assert report(rounds, name, sites[name]) is None
    assert rounds.step(2.0)
    rounds.step(2.0)
    again = site_of()
    join(rounds, "c1", session="another")
    task = rounds.task("c1", "another")
    assert (task["do"], task["taken"]) == ("learn", [0])
    for number in range(2):
        teach(again, stretch("c1", number), settled=number in task["taken"])
    again.take(rounds.model, settled=False)
    told = again.report()
    assert rounds.report("c1", "another", told.head(), told.arrays()) is None
    for name in ("c0", "c2"):
        take(rounds, name, sites[name])
        teach(sites[name], [])
        assert report(rounds, name, sites[name]) is None
    assert rounds.step(3.0)
    assert_like_one_learner(rounds, learner_of(log(EVENTS)[0]))


def test_a_process_that_was_replaced_is_a_stranger() -> None:
    rounds, sites = begun()
    take(rounds, "c0", sites["c0"])
    join(rounds, "c0", session="another")
    assert rounds.task("c0", SESSION) == {"do": "join"}
    assert "did not join" in str(report(rounds, "c0", sites["c0"]))
    assert rounds.task("nobody", SESSION) == {"do": "join"}


@pytest.mark.parametrize("aggregate", ["trimmed-mean", "krum"])
def test_one_who_lies_moves_no_weight_beyond_the_others(aggregate: str) -> None:
    clients = least_reports(aggregate, 1)
    rounds = rounds_of(Options(clients=clients, rounds=1, aggregate=aggregate), FUSED)
    told = []
    for number, own in enumerate(split(EVENTS, clients)):
        site = site_of(FUSED)
        join(rounds, f"c{number}", FUSED)
        rounds.step(0.0)
        told.append((site, own))
    for number, (site, own) in enumerate(told):
        take(rounds, f"c{number}", site)
        teach(site, own)
        lies = {name: 15 * one for name, one in site.report().weights.items()}
        changed = {"weights": lies} if number == 0 else {}
        assert report(rounds, f"c{number}", site, **changed) is None
    before = rounds.model
    honest = [site.report().weights["gate.weights"] for site, _ in told[1:]]
    assert rounds.step(1.0)
    moved = rounds.model.weights["gate.weights"] - before.weights["gate.weights"]
    slack = 1e-6
    assert (moved <= np.max(honest, axis=0) + slack).all()
    assert (moved >= np.min(honest, axis=0) - slack).all()
    assert rounds.model.ready


def test_far_more_than_all_others_is_refused_and_the_round_goes_on() -> None:
    rounds, sites = begun()
    for number, (name, site) in enumerate(sites.items()):
        take(rounds, name, site)
        teach(site, stretch(name, 0))
        many = {one: 90 * array for one, array in site.report().weights.items()}
        assert report(rounds, name, site, **({"weights": many} if number == 0 else {})) is None
    assert rounds.step(1.0)
    assert rounds.told["refused_outlying"] == 1
    assert "weights moved by" in rounds.refusals["c0"]
    assert rounds.joined["c0"].taken == []
    assert rounds.joined["c1"].taken == [0]


def test_what_is_no_report_is_neither_waited_for_nor_asked_again() -> None:
    rounds, sites = begun()
    for name, site in sites.items():
        take(rounds, name, site)
        teach(site, stretch(name, 0))
    broken = {one: array * np.nan for one, array in sites["c0"].report().weights.items()}
    assert "not finite" in str(report(rounds, "c0", sites["c0"], weights=broken))
    assert rounds.task("c0", SESSION)["do"] == "wait"
    for name in ("c1", "c2"):
        assert report(rounds, name, sites[name]) is None
    assert rounds.step(1.0)
    rounds.step(1.0)
    assert rounds.task("c0", SESSION) == {"do": "learn", "round": 1, "rounds": 2, "taken": []}


def test_no_round_is_over_with_fewer_reports_than_its_aggregate_needs() -> None:
    rounds, sites = begun(Options(clients=3, rounds=1, aggregate="trimmed-mean", deadline_s=1.0))
    for name in ("c0", "c1"):
        take(rounds, name, sites[name])
        teach(sites[name], stretch(name, 0))
        assert report(rounds, name, sites[name]) is None
    rounds.left("c2")
    assert rounds.step(100.0) is False
    with pytest.raises(ValueError, match="needs 3 reports a round, there are 2 clients"):
        Options(clients=2, rounds=1, aggregate="trimmed-mean")


def test_who_does_not_fit_is_told_in_what() -> None:
    rounds = rounds_of(Options(clients=1, rounds=1))
    with pytest.raises(ModelError, match="encoder is 'other' there and 'e' here"):
        join(rounds, "c0", said=rounds_contract() | {"encoder": "other"})
    with pytest.raises(ModelError, match=r"fused\.\S+ is of shape"):
        join(rounds, "c0", FUSED)
    with pytest.raises(ModelError, match="nothing of its settings"):
        join(rounds, "c0", said=None)
    join(rounds, "c0")
    with pytest.raises(ModelError, match="another log"):
        join(rounds, "c0", log="longer")
    assert difference(rounds_contract() | {"more": 1}, rounds_contract()).startswith("it names")


def rounds_contract() -> dict:  # type: ignore[type-arg]
    from learner.federated.state import contract

    return contract(learner_of([]), "e")


def test_a_server_that_goes_on_waits_for_all_but_not_for_ever() -> None:
    saved = {"c0": Joined("log of c0", {}, [0]), "c1": Joined("log of c1", {}, [0])}
    options = Options(clients=2, rounds=3, deadline_s=5.0)
    rounds = Rounds(rounds_of(options).model, options, rounds_contract(), saved)
    assert rounds.task("c0", SESSION) == {"do": "join"}
    join(rounds, "c0")
    rounds.step(0.0)
    assert rounds.task("c0", SESSION)["do"] == "wait"
    rounds.step(5.0)
    assert rounds.task("c0", SESSION)["do"] == "learn"
    assert SETTINGS.fused is False
