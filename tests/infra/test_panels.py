"""Each query of a dashboard names figures and labels that there are; each figure is on one."""

from __future__ import annotations

import re

import pytest

from infra.panel import Panel, Query
from infra.panels import DASHBOARDS
from stream.metrics.registry import METRICS
from tests.infra.prometheus.promql import faults, labels_of, named

PANELS = [(board, panel) for board in DASHBOARDS for panel in board.panels]
QUERIES = [query for _, panel in PANELS for query in panel.queries]


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.expr[:60])
def test_a_query_names_what_there_is(query: Query) -> None:
    assert faults(query.expr) == []
    asked = set(re.findall(r"\{\{(\w+)\}\}", query.legend))
    assert asked <= set().union(*(labels_of(name) for name in named(query.expr)))


@pytest.mark.parametrize(("board", "panel"), PANELS, ids=lambda one: getattr(one, "title", ""))
def test_a_panel_says_what_to_see(board: object, panel: Panel) -> None:
    assert panel.title
    assert panel.told
    assert panel.queries
    legends = [query.legend for query in panel.queries]
    assert len(set(legends)) == len(legends), "two lines of one name"


def test_every_figure_is_on_a_dashboard() -> None:
    shown = {
        re.sub(r"_(bucket|sum|count)$", "", one) for query in QUERIES for one in named(query.expr)
    }
    assert {one.full_name for one in METRICS} - shown == set()


def test_three_questions_and_the_gateway() -> None:
    assert [one.name for one in DASHBOARDS] == ["up", "fresh", "good", "fair", "gateway", "uses"]
    for board in DASHBOARDS:
        titles = [panel.title for panel in board.panels]
        assert len(set(titles)) == len(titles)
