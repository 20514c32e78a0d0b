"""Alert rules: figures that there are, a paragraph of the runbook each, and by promtool that each
fires when it is to, and none while all is well.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from tests.infra.prometheus.promql import faults, labels_of, named

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "infra" / "prometheus"
RULES: dict[str, dict[str, Any]] = {
    rule["alert"]: rule
    for group in yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    for rule in group["rules"]
}
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()

WELL = {
    'up{job="upwell", instance="a:9464"}': "1x500",
    'upwell_reported_timestamp_seconds{worker="serve-0"}': "0+60x500",
    'upwell_thread_beat_age_seconds{worker="serve-0", thread="users"}': "1x500",
    'upwell_dead_letters_total{worker="serve-0", reason="empty"}': "0x500",
    'upwell_records_total{worker="serve-0"}': "0+600x500",
    'upwell_announcements_total{worker="serve-0"}': "0+6x500",
    'upwell_removed_unread_total{worker="serve-0"}': "0x500",
    'upwell_resident_memory_bytes{worker="serve-0"}': "1000000000x500",
    'upwell_freshness_seconds_bucket{worker="serve-0", le="0.1"}': "0+60x500",
    'upwell_freshness_seconds_bucket{worker="serve-0", le="5.0"}': "0+60x500",
    'upwell_freshness_seconds_bucket{worker="serve-0", le="+Inf"}': "0+60x500",
    'upwell_lag_records{worker="serve-0", topic="clicks"}': "3x500",
    'upwell_examples_total{worker="learn"}': "0+600x500",
    'upwell_examples_waiting{worker="learn"}': "5x500",
    'upwell_model_changed_timestamp_seconds{worker="serve-0"}': "0+60x500",
    'upwell_ndcg10{worker="learn", model="model", slice="all"}': "0.08x500",
    'upwell_ndcg10{worker="learn", model="covisitation", slice="all"}': "0.05x500",
    'upwell_targets_total{worker="learn", slice="all"}': "0+60x500",
    'upwell_rulings_total{worker="learn", verdict="roll_back"}': "0x500",
    'upwell_train_refused_total{worker="learn"}': "0x500",
    'upwell_title_tokens_total{worker="serve-0"}': "1000x500",
    'upwell_unknown_title_tokens_total{worker="serve-0"}': "10x500",
    'upwell_gateway_requests_total{worker="gateway", call="newestList", status="200"}': "0+600x500",
    'upwell_gateway_requests_total{worker="gateway", call="newestList", status="503"}': "0+6x500",
    'upwell_gateway_refusals_total{worker="gateway", reason="busy"}': "5x500",
    'upwell_gateway_refusals_total{worker="gateway", reason="unauthorized"}': "0+60x500",
    'upwell_gateway_broker_silent_seconds{worker="gateway", instance="a:9466"}': "2x500",
    'upwell_gateway_request_seconds_bucket{worker="gateway", call="newestList", le="0.1"}': (
        "0+600x500"
    ),
    'upwell_gateway_request_seconds_bucket{worker="gateway", call="newestList", le="5.0"}': (
        "0+600x500"
    ),
    'upwell_gateway_request_seconds_bucket{worker="gateway", call="newestList", le="+Inf"}': (
        "0+600x500"
    ),
    'upwell_gateway_request_seconds_bucket{worker="gateway", call="requestList", le="10.0"}': (
        "0+600x500"
    ),
}
"""An engine that is well, a value a minute for 500 of them."""
UP, LEARNED = 'up{job="upwell", instance="a:9464"}', 'upwell_examples_total{worker="learn"}'
WRONG: dict[str, dict[str, str | None]] = {
    "UpwellGone": {UP: "0x500"},
    "UpwellWorkerGone": {'up{job="upwell", instance="b:9465"}': "0x500"},
    "UpwellWorkerSilent": {
        'upwell_reported_timestamp_seconds{worker="serve-0"}': "0+60x400 24000x100"
    },
    "UpwellThreadStandsStill": {
        'upwell_thread_beat_age_seconds{worker="serve-0", thread="users"}': "0+60x500"
    },
    "UpwellDeadLetters": {
        'upwell_dead_letters_total{worker="serve-0", reason="empty"}': "0+12x500"
    },
    "UpwellRemovedUnread": {'upwell_removed_unread_total{worker="serve-0"}': "7x500"},
    "UpwellMemoryGrows": {
        'upwell_resident_memory_bytes{worker="serve-0"}': "1000000000+10000000x500"
    },
    "UpwellListsLate": {'upwell_freshness_seconds_bucket{worker="serve-0", le="0.1"}': "0+50x500"},
    "UpwellLag": {'upwell_lag_records{worker="serve-0", topic="clicks"}': "20000x500"},
    "UpwellLearnsNothing": {LEARNED: "9x500", 'upwell_examples_waiting{worker="learn"}': "0+9x500"},
    "UpwellLearnBehind": {'upwell_examples_waiting{worker="learn"}': "200000x500"},
    "UpwellModelOld": {
        'upwell_model_changed_timestamp_seconds{worker="serve-0"}': "0+60x400 24000x100"
    },
    "UpwellBelowAPeer": {
        'upwell_ndcg10{worker="learn", model="covisitation", slice="all"}': "0.1x500"
    },
    "UpwellRollsBack": {'upwell_rulings_total{worker="learn", verdict="roll_back"}': "0x450 1x50"},
    "UpwellTrainingRefused": {'upwell_train_refused_total{worker="learn"}': "0x450 2x50"},
    "UpwellGatewayFails": {
        'upwell_gateway_requests_total{worker="gateway", call="newestList", status="503"}': (
            "0+60x500"
        )
    },
    "UpwellGatewayBusy": {
        'upwell_gateway_refusals_total{worker="gateway", reason="busy"}': "0+6x500"
    },
    "UpwellGatewayCutOff": {
        'upwell_gateway_broker_silent_seconds{worker="gateway", instance="a:9466"}': "0+60x500"
    },
    "UpwellGatewaySlow": {
        'upwell_gateway_request_seconds_bucket{worker="gateway", call="newestList", le="0.1"}': (
            "0+500x500"
        )
    },
    "UpwellUnreadTitles": {'upwell_unknown_title_tokens_total{worker="serve-0"}': "90x500"},
}
"""What is otherwise when an alert is to fire."""
AT = "480m"


@pytest.fixture
def promtool() -> str:
    """Debian's package `prometheus` has it."""
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is not installed: apt-get install prometheus")
    return found


@pytest.mark.parametrize("name", RULES)
def test_a_rule_names_what_there_is(name: str) -> None:
    rule = RULES[name]
    assert faults(rule["expr"]) == []
    asked = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
    assert asked <= set().union(*(labels_of(one) for one in named(rule["expr"])))
    assert rule["labels"]["severity"] in {"page", "warn"}


def test_each_rule_has_its_paragraph_in_the_runbook_and_no_paragraph_is_left_over() -> None:
    sections = dict(
        re.findall(r"^## (\w+)\n\n(.+?)(?=\n## |\Z)", RUNBOOK, re.MULTILINE | re.DOTALL)
    )
    assert sections.keys() == RULES.keys()
    for name, rule in RULES.items():
        assert rule["annotations"]["runbook"] == f"docs/runbook.md#{name.lower()}"
        assert len(sections[name].split()) > 25


def test_each_rule_is_tried() -> None:
    assert WRONG.keys() == RULES.keys()


def test_prometheus_takes_its_settings(promtool: str) -> None:
    command = [promtool, "check", "config", "prometheus.yml"]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def tried(series: dict[str, str], asked: list[tuple[str, float | None]]) -> dict[str, Any]:
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": one} for name, one in series.items()],
        "promql_expr_test": [
            {
                "expr": expr,
                "eval_time": AT,
                "exp_samples": [] if value is None else [{"labels": "{}", "value": value}],
            }
            for expr, value in asked
        ],
    }


def test_each_rule_fires_when_it_is_to_and_none_when_all_is_well(
    promtool: str, tmp_path: Path
) -> None:
    firing = 'count(ALERTS{{alertname="{}", alertstate="firing"}})'
    cases = [tried(WELL, [("count(ALERTS)", None)])]
    for name, otherwise in WRONG.items():
        series = {**WELL, **{one: value for one, value in otherwise.items() if value is not None}}
        cases.append(tried(series, [(firing.format(name), 1.0)]))
    file = tmp_path / "alerts_test.yml"
    file.write_text(
        yaml.safe_dump(
            {
                "rule_files": [str(FOLDER / "alerts.yml")],
                "evaluation_interval": "1m",
                "tests": cases,
            }
        )
    )
    done = subprocess.run([promtool, "test", "rules", str(file)], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
