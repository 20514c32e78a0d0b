"""Triples and rules on a real engine, said by an app that has nothing of Upwell's, and after a
restart.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.app import App, ids
from tests.e2e.engine import Engine
from upwell.events import Topic

NAMES = {"skates", "sled", "sandals"}


def say(app: App, key: str, **value: Any) -> None:
    app.send(Topic.KNOWLEDGE, key, value)


def until(app: App, wanted: set[str]) -> None:
    app.wait(lambda: set(ids(app.ask("ann"))) == wanted, f"a list of {wanted}")


@pytest.mark.timeout(900)
def test_a_rule_by_a_value_reaches_lists_and_outlasts_a_restart(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    season = {"relation": "season", "value": "winter"}
    with Engine(kafka, prefix, tmp_path) as engine:
        app = App(kafka, prefix)
        say(app, "skates", kind="triple", item_id="skates", **season)  # before it is announced
        say(app, "r", kind="filter", rule_id="r", months=list(range(1, 13)), **season)
        for name in sorted(NAMES):
            app.item(name, title=f"A pair of {name}")
        until(app, {"sled", "sandals"})
        say(app, "sled", kind="triple", item_id="sled", **season)
        until(app, {"sandals"})
        say(app, "bad", kind="filter", rule_id="bad")
        app.wait(lambda: len(app.letters) == 1, "the dead letter")
        assert (app.letters[0]["topic"], app.letters[0]["reason"]) == ("knowledge", "missing_field")
        engine.wait(engine.settled, "all acknowledged")
    with Engine(kafka, prefix, tmp_path):
        assert ids(app.ask("bob")) == ["sandals"]
        say(app, "sled", kind="triple", item_id="sled", deleted=True, **season)
        until(app, {"sled", "sandals"})
        say(app, "r", kind="filter", rule_id="r", deleted=True)
        until(app, NAMES)
    app.close()
