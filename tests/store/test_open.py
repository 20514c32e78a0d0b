"""The one place that chooses the adapter."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from store import open_store
from upwell.errors import StoreError


@pytest.mark.parametrize("kind", ["memory", "edge"])
def test_a_store_says_what_it_is(tmp_path: Path, kind: str) -> None:
    store = open_store(kind, folder=tmp_path / "deep" / "store", dimension=4)  # type: ignore[arg-type]
    health = store.health()
    assert (health.kind, health.users, health.items) == (kind, 0, 0)
    assert kind == "memory" or health.where == str(tmp_path / "deep" / "store")
    store.close()


def test_wrong_choices(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="choose memory, edge or server"):
        open_store("cloud", folder=tmp_path, dimension=4)  # type: ignore[arg-type]
    with pytest.raises(StoreError, match="needs its url"):
        open_store("server", folder=tmp_path, dimension=4)
    with pytest.raises(StoreError, match="0 dimensions"):
        open_store("memory", folder=tmp_path, dimension=0)


@pytest.mark.parametrize(
    ("kind", "other"),
    [("memory", "qdrant_edge"), ("memory", "qdrant_client"), ("edge", "qdrant_client")],
)
def test_only_the_chosen_adapter_is_loaded(tmp_path: Path, kind: str, other: str) -> None:
    script = (
        "import sys; from pathlib import Path; from store import open_store; "
        f"open_store({kind!r}, folder=Path(sys.argv[1]), dimension=4).close(); "
        f"sys.exit({other!r} in sys.modules)"
    )
    assert (
        subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False).returncode == 0
    )
