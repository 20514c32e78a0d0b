"""The dashboards as Grafana's files: `python -m infra.dashboards` writes
infra/grafana/dashboards out of `infra.panels`. Where a panel stands is computed. It knows nothing
of who serves them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from infra.panel import Dashboard, Panel
from infra.panels import DASHBOARDS

__all__ = ["FOLDER", "dashboard_json", "main"]

FOLDER = Path(__file__).parent / "grafana" / "dashboards"
DATASOURCE = {"type": "prometheus", "uid": "upwell-prometheus"}
WIDTH, HEIGHT = 12, 8
"""Of a panel, in Grafana's grid, which is 24 wide."""


def dashboard_json(dashboard: Dashboard) -> bytes:
    """The file that Grafana provisions."""
    value = {
        "uid": f"upwell-{dashboard.name}",
        "title": dashboard.title,
        "tags": ["upwell"],
        "schemaVersion": 39,
        "editable": False,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "links": [{"type": "dashboards", "tags": ["upwell"], "title": "Upwell", "keepTime": True}],
        "panels": list(_placed(dashboard.panels)),
    }
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _placed(panels: tuple[Panel, ...]) -> Iterator[dict[str, Any]]:
    for place, panel in enumerate(panels):
        row, column = divmod(place, 24 // WIDTH)
        yield {
            "id": place + 1,
            "type": "timeseries",
            "title": panel.title,
            "description": panel.told,
            "datasource": DATASOURCE,
            "gridPos": {"x": column * WIDTH, "y": row * HEIGHT, "w": WIDTH, "h": HEIGHT},
            "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
            "options": {"legend": {"displayMode": "table", "calcs": ["lastNotNull"]}},
            "targets": [
                {
                    "refId": chr(ord("A") + number),
                    "datasource": DATASOURCE,
                    "expr": query.expr,
                    "legendFormat": query.legend,
                }
                for number, query in enumerate(panel.queries)
            ],
        }


def main() -> None:
    """Write the files."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for one in DASHBOARDS:
        (FOLDER / f"{one.name}.json").write_bytes(dashboard_json(one))


if __name__ == "__main__":
    main()
