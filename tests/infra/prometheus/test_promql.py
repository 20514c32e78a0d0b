from __future__ import annotations

import pytest

from tests.infra.prometheus.promql import faults, named


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("upwell_no_such_thing", ["no figure upwell_no_such_thing"]),
        ("rate(upwell_lists[5m])", ["no figure upwell_lists"]),
        ("upwell_freshness_seconds", ["no figure upwell_freshness_seconds"]),
        ('upwell_ndcg10{topic="x"}', ["upwell_ndcg10 has no label topic"]),
        ("sum by (verdict) (upwell_lag_records)", ["no label verdict to group by"]),
        ("-(upwell_items and on () max_over_time(upwell_hot_userz[5m:1m]))", None),
    ],
)
def test_what_is_wrong_with_a_query_is_found(query: str, wrong: list[str] | None) -> None:
    assert faults(query) == (wrong if wrong is not None else ["no figure upwell_hot_userz"])


def test_what_a_query_names() -> None:
    query = (
        "histogram_quantile(0.99, sum by (le) (rate(upwell_freshness_seconds_bucket"
        '[$__rate_interval]))) > 1 and on () absent(up{job="upwell"} == 1)'
    )
    assert named(query) == {"upwell_freshness_seconds_bucket", "up"}
    assert faults(query) == []


def test_what_is_no_promql_is_refused() -> None:
    with pytest.raises(ValueError, match="unclosed left parenthesis"):
        named("sum by (worker (upwell_items)")
