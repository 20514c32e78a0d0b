"""Grafana's files are the code's, and are provisioned from where compose puts them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml  # type: ignore[import-untyped]

from infra import dashboards
from infra.dashboards import FOLDER, dashboard_json
from infra.panel import Dashboard
from infra.panels import DASHBOARDS

ROOT = Path(__file__).parents[2]
PROVISIONING = ROOT / "infra" / "grafana" / "provisioning"
GRAFANA: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"][
    "grafana"
]


@pytest.mark.parametrize("board", DASHBOARDS, ids=lambda one: one.name)
def test_the_files_are_the_code_s(board: Dashboard) -> None:
    assert (FOLDER / f"{board.name}.json").read_bytes() == dashboard_json(board), "run `make docs`"


def test_no_other_file_is_there() -> None:
    assert {one.stem for one in FOLDER.iterdir()} == {one.name for one in DASHBOARDS}


def test_the_command_writes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashboards, "FOLDER", tmp_path / "new")
    dashboards.main()
    assert {one.name: one.read_bytes() for one in (tmp_path / "new").iterdir()} == {
        one.name: one.read_bytes() for one in FOLDER.iterdir()
    }


@pytest.mark.parametrize("board", DASHBOARDS, ids=lambda one: one.name)
def test_no_panel_covers_another_and_each_asks_the_provisioned_source(board: Dashboard) -> None:
    value = orjson.loads(dashboard_json(board))
    source = yaml.safe_load((PROVISIONING / "datasources" / "prometheus.yml").read_text())
    [known] = source["datasources"]
    cells: set[tuple[int, int]] = set()
    for panel in value["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        own = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not own & cells
        cells |= own
        for one in (panel, *panel["targets"]):
            assert one["datasource"] == {"type": known["type"], "uid": known["uid"]}
    assert len({panel["id"] for panel in value["panels"]}) == len(board.panels)


def test_grafana_finds_dashboards_and_source() -> None:
    mounts = dict(mount.split(":")[:2] for mount in GRAFANA["volumes"])
    assert mounts["./infra/grafana/provisioning"] == "/etc/grafana/provisioning"
    providers = yaml.safe_load((PROVISIONING / "dashboards" / "upwell.yml").read_text())
    [provider] = providers["providers"]
    assert mounts["./infra/grafana/dashboards"] == provider["options"]["path"]
