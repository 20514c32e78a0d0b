"""Self-selected ratings in, random ones to be told: the rating head with and without propensity
weights, on the Coat data.

    python -m bench.coat FOLDER [--seeds N] [--folds N]

FOLDER holds the data of Schnabel et al. 2016 (train.ascii, test.ascii, propensities.ascii, user_
and item_features with their maps). Width, decay and clip of each method are chosen by
cross-validation on the self-selected ratings alone, by the error that the method itself believes
in: weighted by its own weights, self-normalized. A seed draws the first weights and the 5 % of the
random ratings that naive Bayes may see; everyone is tested on the others. Prints tables, then one
JSON object as the last line.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from bench.causal import clipped_weights, propensities_by_rating, selection_propensities
from bench.coat_effects import Feature, effect_rows
from bench.coat_figures import FIGURES, figures, gained, user_errors
from bench.coat_model import Batch, Loss, Recipe, fit
from bench.hardware import hardware
from bench.results.bench_run import BenchRun
from learner.training.batch import Tuning
from learner.training.losses import inverse_propensity, squared_error
from upwell.settings import LearnerSettings

WIDTHS, DECAYS, CLIPS = (2, 4, 8), (10.0, 30.0), (20.0, 1e9)
PROPENSITY_DECAYS = (1e-6, 1e-5, 1e-4, 1e-3)
SET_ASIDE = 0.05
LEVELS = 5


@dataclass(frozen=True)
class Coat:
    """ratings, random: (U, I) stars, 0 for none; propensities: (U, I), the authors'. features:
    names of the items' columns.
    """

    ratings: Tensor
    random: Tensor
    propensities: Tensor
    users: Tensor
    items: Tensor
    user_names: list[str]
    item_names: list[str]


@dataclass(frozen=True)
class Method:
    """weights: of what a seed's set-aside ratings (U, I) are, to (U, I). imputed: by the head
    without weights, fitted before.
    """

    weights: Callable[[Tensor], Tensor]
    loss: Loss = "self-normalized"
    imputed: bool = False


def load(folder: Path) -> Coat:
    def matrix(name: str) -> Tensor:
        return torch.from_numpy(np.loadtxt(folder / f"{name}.ascii", dtype=np.float32))

    def names(name: str) -> list[str]:
        return (folder / f"{name}_map.txt").read_text().splitlines()

    ratings, random, propensities = matrix("train"), matrix("test"), matrix("propensities")
    users, items = matrix("user_features"), matrix("item_features")
    return Coat(
        ratings, random, propensities, users, items, names("user_features"), names("item_features")
    )


def methods(coat: Coat) -> dict[str, Method]:
    """By name, the plain one first."""
    flat, authors = torch.ones_like(coat.ratings), 1.0 / coat.propensities
    own = 1.0 / own_propensities(coat)
    counts = (coat.ratings > 0).sum(dim=0).float()
    clip, power = LearnerSettings().propensity_clip, Tuning().propensity_power
    popular = inverse_propensity(counts.expand_as(coat.ratings).flatten(), power, clip).view_as(
        flat
    )
    return {
        "naive": Method(lambda _: flat),
        "popularity (the trainer's)": Method(lambda _: popular),
        "IPS": Method(lambda _: authors, "ips"),
        "SNIPS": Method(lambda _: authors),
        "SNIPS, own logistic": Method(lambda _: own),
        "SNIPS, naive Bayes": Method(lambda aside: bayes_weights(coat.ratings, aside)),
        "DR": Method(lambda _: authors, imputed=True),
        "DR, joint": Method(lambda _: authors, "joint"),
    }


def own_propensities(coat: Coat) -> Tensor:
    """The decay is chosen by the log loss on every tenth user, who were left out."""
    observed = (coat.ratings > 0).float()
    left = torch.arange(len(observed)) % 10 == 0

    def loss(decay: float) -> float:
        # the left-out users' features times the weights: fitted on the others, read at these
        both = selection_propensities(
            torch.cat([coat.users[~left], coat.users[left]]), coat.items, observed[~left], decay
        )
        return torch.nn.functional.binary_cross_entropy(
            both[(~left).sum() :], observed[left]
        ).item()

    return selection_propensities(
        coat.users, coat.items, observed, min(PROPENSITY_DECAYS, key=loss)
    )


def bayes_weights(ratings: Tensor, aside: Tensor) -> Tensor:
    """By the stars alone; 1 where nothing is rated, which nothing reads."""
    counts = [
        torch.bincount(stars[stars > 0].long() - 1, minlength=LEVELS).float()
        for stars in (ratings, aside)
    ]
    by_stars = clipped_weights(
        propensities_by_rating(counts[0], counts[1], float((ratings > 0).float().mean())), 1e9
    )
    return torch.cat([torch.ones(1), by_stars])[ratings.long()]


def predict(
    coat: Coat,
    method: Method,
    recipe: Recipe,
    plain: Recipe,
    seed: int,
    held_out: Tensor | None = None,
) -> Tensor:
    """(U, I) stars. plain: how the head without weights is made, where it imputes."""
    batch = Batch(
        coat.users, coat.items, coat.ratings, method.weights(set_aside(coat.random, seed))
    )
    batch = batch if held_out is None else batch.without(held_out)
    if method.imputed:
        unweighted = replace(batch, weights=torch.ones_like(batch.weights))
        batch = replace(batch, imputed=fit(unweighted, plain, "self-normalized", seed))
    return fit(batch, recipe, method.loss, seed)


def set_aside(random: Tensor, seed: int) -> Tensor:
    """SET_ASIDE of the random ratings, 0 elsewhere."""
    drawn = torch.rand(random.shape, generator=torch.Generator().manual_seed(10_000 + seed))
    return torch.where(drawn < SET_ASIDE, random, 0.0)


def choose(coat: Coat, method: Method, plain: Recipe, folds: int) -> Recipe:
    """The recipe of the least held-out error among the self-selected ratings, as the method weighs
    it.
    """
    fold = torch.randint(folds, coat.ratings.shape, generator=torch.Generator().manual_seed(0))
    weights = method.weights(set_aside(coat.random, 0))
    clips = CLIPS if bool((weights != weights[0, 0]).any()) else CLIPS[-1:]

    def error(recipe: Recipe) -> float:
        errors = []
        for number in range(folds):
            held_out = (fold == number) & (coat.ratings > 0)
            found = predict(coat, method, recipe, plain, 0, held_out)
            errors.append(
                squared_error(found[held_out], coat.ratings[held_out], weights[held_out]).item()
            )
        return float(np.mean(errors))

    return min((Recipe(*values) for values in product(WIDTHS, DECAYS, clips)), key=error)


def compare(coat: Coat, seeds: int, folds: int) -> dict[str, dict[str, Any]]:
    """Each method's recipe, figures (mean and standard error over seeds) and gain over the plain
    head.
    """
    found: dict[str, dict[str, Any]] = {}
    plain, plain_errors = Recipe(4, 30.0, CLIPS[-1]), np.zeros((len(coat.users), 2))
    for name, method in methods(coat).items():
        recipe = choose(coat, method, plain, folds)
        runs, errors = [], np.zeros((len(coat.users), 2))
        for seed in range(seeds):
            tested = torch.where(set_aside(coat.random, seed) > 0, 0.0, coat.random)
            predicted = predict(coat, method, recipe, plain, seed)
            runs.append(figures(predicted, tested))
            errors += user_errors(predicted, tested)
        if name == "naive":
            plain, plain_errors = recipe, errors
        rows = {key: np.array([run[key] for run in runs]) for key in FIGURES}
        found[name] = {
            key: [float(row.mean()), float(row.std(ddof=1) / np.sqrt(seeds))]
            for key, row in rows.items()
        }
        found[name] |= {
            "recipe": [recipe.width, recipe.decay, recipe.clip],
            "mse_gain": gained(errors, plain_errors),
        }
        print(f"{name}: {found[name]}", flush=True)
    return found


def print_methods(found: dict[str, dict[str, Any]], seeds: int) -> None:
    table = Table("", "MSE", "MAE", "AUC", "NDCG@5", "MSE less naive's, 95 %", "width, decay, clip")
    table.title = (
        f"Coat: random ratings, told from self-selected ones; mean ± standard error of {seeds} "
        "seeds"
    )
    for name, row in found.items():
        cells = [f"{row[key][0]:.3f} ± {row[key][1]:.3f}" for key in FIGURES]
        width, decay, clip = row["recipe"]
        clipped = "none" if clip >= CLIPS[-1] else f"{clip:.0f}"
        table.add_row(
            name,
            *cells,
            "{:+.3f} to {:+.3f}".format(*row["mse_gain"]),
            f"{width}, {decay:.0f}, {clipped}",
        )
    Console(width=140).print(table)


def print_effects(rows: list[Feature]) -> None:
    table = Table(
        "feature", "chosen, no weights", "chosen, weighted", "random (the truth, with noise)"
    )
    table.title = (
        "Effect on stars against the average item, with 95 % intervals that allow for users' habits"
    )
    for row in rows:
        table.add_row(
            row.name,
            *(
                "{:+.2f} ({:+.2f} to {:+.2f})".format(*one)
                for one in (row.plain, row.weighted, row.truth)
            ),
        )
    Console(width=140).print(table)
    for name, figure in agreement(rows).items():
        print(
            f"{name}: {figure['distance']:.3f} stars (root mean square) from random "
            f"ratings' effects, {figure['covered']:.0%} inside"
        )


def agreement(rows: list[Feature]) -> dict[str, dict[str, float]]:
    """How far estimates are from those of random ratings, and how many of those the intervals hold
    (they have errors of their own).
    """
    found = {}
    for name in ("plain", "weighted"):
        own = np.array([getattr(row, name) for row in rows])
        truth = np.array([row.truth[0] for row in rows])
        covered = (own[:, 1] <= truth) & (truth <= own[:, 2])
        found[name] = {
            "distance": float(np.sqrt(np.square(own[:, 0] - truth).mean())),
            "covered": float(covered.mean()),
        }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--folds", type=int, default=3)
    arguments = parser.parse_args()
    tracked = BenchRun(__file__, arguments, arguments.folder)
    torch.set_num_threads(1)
    coat = load(arguments.folder)
    users, items = (coat.users, coat.user_names), (coat.items, coat.item_names)
    effects = effect_rows(coat.ratings, coat.random, coat.propensities, users, items)
    print_effects(effects)
    found = compare(coat, arguments.seeds, arguments.folds)
    print_methods(found, arguments.seeds)
    result = {
        "seeds": arguments.seeds,
        "hardware": hardware(),
        "methods": found,
        "effects": {row.name: row.as_lists() for row in effects},
        "agreement": agreement(effects),
    }
    tracked.tell(result)


if __name__ == "__main__":
    main()
