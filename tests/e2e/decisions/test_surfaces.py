"""Two surfaces on a real broker: what the policy hides on one is in no list there, and stands in
those of the other.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.engine import Engine
from upwell.client import UpwellClient

POLICY = """
[lists.horror]
categories = ["Horror"]
items = "keep"
[surfaces.kids]
hide = ["horror"]
[surfaces.home]
hide = []
"""


@pytest.mark.timeout(300)
def test_a_list_is_without_what_is_hidden_where_it_is_shown(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY, encoding="utf-8")
    with (
        Engine(kafka, prefix, tmp_path, UPWELL_POLICY=str(policy)) as engine,
        UpwellClient(kafka, engine.settings.kafka) as upwell,
    ):
        upwell.item("ghosts", "Ghosts of the old mill", categories=("Horror",))
        upwell.item("boat", "A boat on the lake", categories=("Drama",))
        upwell.flush()
        engine.wait(engine.settled, "the catalogue")
        upwell.control("pin_item", "op", "does a pin bring it back?", item_id="ghosts")
        upwell.flush()
        engine.wait(engine.settled, "the pin")
        kids = upwell.request_list("ann", surface="kids", timeout=60)
        home = upwell.request_list("ann", surface="home", timeout=60)
        assert (kids.surface, home.surface) == ("kids", "home")
        assert "ghosts" not in {one.item_id for one in kids.items}
        assert home.items[0].item_id == "ghosts"
