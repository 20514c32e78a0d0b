"""A real Prometheus scrapes a running engine and a gateway beside it, and answers each query of the
dashboards.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import httpx
import orjson
import pytest
import yaml  # type: ignore[import-untyped]
from kafka import KafkaProducer

from infra.panels import DASHBOARDS
from tests.e2e.engine import Engine, bundled_log, send
from tests.e2e.watched.test_metrics import free_ports
from tests.gateway.served import APP
from tests.gateway.test_run import address as gateway_address
from tests.gateway.test_run import process as gateway_process

pytestmark = pytest.mark.timeout(400)
RULES = Path(__file__).parents[3] / "infra" / "prometheus" / "alerts.yml"
NEEDS_TIME = (
    "increase(",
    "upwell_dropped_total",
    "upwell_unknown_fields_total",
    "from_memory",
    "upwell_spans",
    "upwell_pictures_total",
)
"""In a query that has no answer after a minute, or only where there is something to tell."""


@pytest.fixture
def program() -> str:
    """Debian's package `prometheus` has it."""
    found = shutil.which("prometheus")
    if found is None:
        pytest.skip("Prometheus is not installed: apt-get install prometheus")
    return found


@contextmanager
def running(program: str, folder: Path, targets: list[str]) -> Iterator[str]:
    """Its address."""
    folder.mkdir()
    (folder / "prometheus.yml").write_text(
        yaml.safe_dump(
            {
                "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
                "rule_files": [str(RULES)],
                "scrape_configs": [
                    {"job_name": "upwell", "static_configs": [{"targets": targets}]}
                ],
            }
        )
    )
    port = free_ports(1)
    command = [
        program,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log) as process,
    ):
        try:
            yield f"127.0.0.1:{port}"
        finally:
            process.terminate()


def asked(address: str, query: str) -> list[Any]:
    """The answer; empty while Prometheus starts. Raises `HTTPError` for a query that it refuses."""
    try:
        with urlopen(
            f"http://{address}/api/v1/query?{urlencode({'query': query})}", timeout=30
        ) as answer:
            return list(orjson.loads(answer.read())["data"]["result"])
    except URLError as exc:
        if isinstance(exc.reason, ConnectionRefusedError):
            return []
        raise


@pytest.mark.slow
def test_prometheus_answers_each_query_of_the_dashboards(
    program: str, kafka: str, prefix: str, tmp_path: Path
) -> None:
    port = free_ports(3)
    items, events = bundled_log(400)
    coming = iter(events)
    on = {"UPWELL_METRICS_PORT": str(port), "UPWELL_FUSED": "on", "UPWELL_FUSED_EVERY": "20"}
    on |= {"UPWELL_EXPOSURE": "popularity:tail>=0.1"}
    targets = [f"127.0.0.1:{port + place}" for place in range(3)]
    with (
        Engine(kafka, prefix, tmp_path / "engine", **on) as engine,
        running(program, tmp_path / "prometheus", targets) as address,
        gateway_process(
            kafka, prefix, tmp_path / "engine", "--port", "0", UPWELL_METRICS_PORT=str(port)
        ) as (_, said),
        KafkaProducer(**engine.client) as producer,
        httpx.Client(
            base_url=gateway_address(said), headers={"Authorization": f"Bearer {APP}"}, timeout=60.0
        ) as gateway,
    ):
        engine.wait(lambda: len(asked(address, 'up{job="upwell"} == 1')) == 3, "all to be scraped")
        send(producer, prefix, items)
        queries = [
            query.expr for board in DASHBOARDS for one in board.panels for query in one.queries
        ]
        silent = {
            one.replace("$__rate_interval", "1m")
            for one in queries
            if not any(word in one for word in NEEDS_TIME)
        }

        def all_answer() -> bool:
            send(producer, prefix, islice(coming, 20))  # what comes at once is tested in part
            gateway.get("/v1/popular")
            silent.difference_update([one for one in silent if asked(address, one)])
            return not silent

        engine.wait(all_answer, f"answers to {silent}")
        for one in queries:  # those that had none are right all the same
            asked(address, one.replace("$__rate_interval", "1m"))
        firing = asked(address, 'ALERTS{alertstate="firing"}')
        assert [one["metric"]["alertname"] for one in firing] == []
