"""The account as the learn process keeps it, over crashes, restarts and older checkpoints."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from learner.private.account import read_account
from learner.private.learner import PrivateLearner
from learner.release import checkpoint
from learner.release.folder import LocalFolder
from learner.training.learner import Learner
from stream.learn.budget import Budget
from tests.learner.private.test_learner import EXAMPLES, private
from tests.learner.training.small import DIMENSION, SETTINGS, catalogue


def saved(folder: LocalFolder, learner: PrivateLearner) -> str:
    return checkpoint.save_checkpoint(folder, learner.arrays(), learner.meta()).name


def resumed(folder: LocalFolder, name: str) -> tuple[PrivateLearner, Budget]:
    learner = private([])
    arrays, meta = checkpoint.load(folder, name)
    learner.restore(arrays, json.loads(json.dumps(meta)))
    learner.add_items(catalogue())
    budget = Budget(learner, folder)
    budget.resume()
    return learner, budget


def test_an_epoch_is_due_until_it_is_kept(tmp_path: Path) -> None:
    folder, learner = LocalFolder(tmp_path), private([])
    budget = Budget(learner, folder)
    budget.resume()
    learner.learn(EXAMPLES[:59])
    assert not budget.due
    learner.learn(EXAMPLES[59:61])
    assert budget.due
    assert read_account(folder) == {}
    budget.keep()
    assert not budget.due
    assert read_account(folder) == {0: 1}


def test_killed_before_the_checkpoint_the_epoch_is_made_again_and_paid_once(tmp_path: Path) -> None:
    folder, learner = LocalFolder(tmp_path), private(EXAMPLES[:50])
    name = saved(folder, learner)
    learner.learn(EXAMPLES[:61])  # told, not kept: nobody heard of it
    again, budget = resumed(folder, name)
    again.learn(EXAMPLES[:61])
    budget.keep()
    assert again.told == learner.told
    assert read_account(folder) == {0: 1}


def test_killed_between_checkpoint_and_account_it_is_paid_once(tmp_path: Path) -> None:
    folder, learner = LocalFolder(tmp_path), private(EXAMPLES[:61])
    again, budget = resumed(folder, saved(folder, learner))
    assert (again.generation, again.told) == (0, learner.told)
    assert not budget.due
    budget.keep()
    assert read_account(folder) == {0: 1}


def test_an_older_checkpoint_gives_no_budget_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder, learner = LocalFolder(tmp_path), private(EXAMPLES[:50])
    older = saved(folder, learner)
    learner.learn(EXAMPLES)
    Budget(learner, folder).keep()
    with caplog.at_level(logging.WARNING):
        again, _ = resumed(folder, older)
    assert again.told["spent"] == learner.told["spent"]
    assert again.exhausted
    assert "what was spent stays spent" in caplog.text
    assert "nothing is learned of new events any more" in caplog.text


def test_no_checkpoint_at_all_gives_none_back_either(tmp_path: Path) -> None:
    folder, learner = LocalFolder(tmp_path), private(EXAMPLES)
    Budget(learner, folder).keep()
    fresh = private([])
    Budget(fresh, folder).resume()
    assert fresh.told["spent"] == learner.told["spent"]
    assert fresh.exhausted


def test_that_it_is_spent_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    learner = private(EXAMPLES)
    budget = Budget(learner, LocalFolder(tmp_path))
    with caplog.at_level(logging.WARNING):
        budget.keep()
        budget.keep()
    assert len(caplog.records) == 1


def test_without_a_budget_nothing_is_kept(tmp_path: Path) -> None:
    budget = Budget(Learner(SETTINGS, DIMENSION, 7), LocalFolder(tmp_path))
    budget.resume()
    budget.keep()
    assert not budget.due
    assert list(tmp_path.iterdir()) == []
