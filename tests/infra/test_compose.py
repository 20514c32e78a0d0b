"""docker-compose.yml and infra/Dockerfile without Docker: names that are used exist, versions are
pinned, nothing secret stands there.
"""

from __future__ import annotations

import re
import shlex
from fnmatch import fnmatch
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from gateway.edge.auth import Gatekeeper, check_listening
from infra.kafka import KAFKA_VERSION
from stream.metrics.endpoint import GATEWAY_PLACE, LEARN_PLACE, SERVE_PLACE
from upwell.errors import SettingsError
from upwell.settings import Settings, describe_settings, load_settings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
WORKERS = ("worker", "worker-gpu")
NO_TOKENS = dict.fromkeys(("UPWELL_GATEWAY_APP_TOKEN", "UPWELL_GATEWAY_OPERATOR_TOKEN"), "")
SECRET = re.compile(r"password|secret|token|api_key|credential|private", re.IGNORECASE)
PINNED = re.compile(r"[\w./-]+:v?\d+\.\d+\.\d+")
DOCKERFILE = (ROOT / "infra" / "Dockerfile").read_text().replace("\\\n", " ")
PROPERTIES = dict(
    line.split("=", 1)
    for line in (ROOT / "infra" / "server.properties").read_text().splitlines()
    if line and not line.startswith("#")
)


def instructions(word: str) -> list[str]:
    """What stands after each instruction of this name in the Dockerfile."""
    return re.findall(rf"^{word} +(.*)$", DOCKERFILE, re.MULTILINE)


def upwell_variables(service: dict[str, Any]) -> dict[str, str]:
    return {
        name: value
        for name, value in service.get("environment", {}).items()
        if name.startswith("UPWELL_")
    }


def test_the_services() -> None:
    plain = {"kafka", "qdrant", "worker"}
    assert set(SERVICES) == plain | {"worker-gpu", "gateway", "replay", "prometheus", "grafana"}
    assert {
        name: service.get("profiles") for name, service in SERVICES.items() if "profiles" in service
    } == {
        "worker-gpu": ["gpu"],
        "gateway": ["gateway"],
        "replay": ["replay"],
        "prometheus": ["metrics"],
        "grafana": ["metrics"],
    }


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_waits_for_exists_and_tells_its_health(name: str) -> None:
    for other, how in SERVICES[name].get("depends_on", {}).items():
        assert how == {"condition": "service_healthy"}
        assert "test" in SERVICES[other]["healthcheck"]
        assert "profiles" not in SERVICES[other]


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_that_stays_has_a_health_check(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    if name == "replay":
        assert check == {"disable": True}
    else:
        assert check["test"][0] in {"CMD", "CMD-SHELL"}
        assert {"interval", "timeout", "retries"} <= set(check)


def test_volumes_are_declared_and_used() -> None:
    mounts = [
        mount.split(":") for service in SERVICES.values() for mount in service.get("volumes", [])
    ]
    assert {source for source, *_ in mounts if not source.startswith((".", "/"))} == set(
        COMPOSE["volumes"]
    )
    for source, *_ in mounts:
        assert not source.startswith(".") or (ROOT / source).is_dir()


@pytest.mark.parametrize("name", SERVICES)
def test_images_are_pinned(name: str) -> None:
    assert PINNED.fullmatch(SERVICES[name]["image"])


def test_versions_are_those_that_upwell_was_tested_with() -> None:
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{KAFKA_VERSION}"
    assert SERVICES["worker"]["image"] == f"upwell:{version('upwell')}"
    server = [int(part) for part in SERVICES["qdrant"]["image"].rpartition(":v")[2].split(".")]
    client = [int(part) for part in version("qdrant-client").split(".")]
    assert server[0] == client[0]
    assert abs(server[1] - client[1]) <= 1  # what qdrant-client itself asks for


def test_kafka_is_set_up_as_the_one_of_upwell_run() -> None:
    """But for names of listeners, addresses and sizes of a small machine."""
    environment = SERVICES["kafka"]["environment"]
    shared = [
        key
        for key in PROPERTIES
        if f"KAFKA_{key.upper().replace('.', '_')}" in environment and "listener" not in key
    ]
    for key in set(shared) - {"controller.quorum.voters", "log.dirs"}:
        assert environment[f"KAFKA_{key.upper().replace('.', '_')}"] == PROPERTIES[key]
    assert {
        "message.max.bytes",
        "auto.create.topics.enable",
        "offsets.topic.replication.factor",
    } <= set(shared)
    assert SERVICES["kafka"]["volumes"] == [f"kafka-data:{environment['KAFKA_LOG_DIRS']}"]


def test_the_worker_finds_kafka_and_qdrant() -> None:
    for name in WORKERS:
        settings = load_settings(upwell_variables(SERVICES[name]))
        assert settings.store.kind == "server"
        assert settings.store.url == "http://qdrant:6333"
        assert (
            f"//{settings.kafka.address}"
            in SERVICES["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
        )
        assert SERVICES[name]["volumes"] == [f"upwell-data:{settings.data}"]
        assert SERVICES[name]["command"] == ["upwell", "run"]


def test_the_gpu_worker_is_the_worker_on_a_gpu() -> None:
    gpu = dict(SERVICES["worker-gpu"])
    assert gpu.pop("profiles") == ["gpu"]
    devices = gpu.pop("deploy")["resources"]["reservations"]["devices"]
    assert devices == [{"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}]
    environment = gpu.pop("environment")
    assert environment.pop("UPWELL_DEVICE") == "cuda"
    assert {**gpu, "environment": environment} == SERVICES["worker"]


def test_the_gateway_finds_kafka_and_the_workers_folder_and_lets_nobody_in_without_a_token() -> (
    None
):
    gateway = SERVICES["gateway"]
    worker = load_settings(upwell_variables(SERVICES["worker"]))
    variables = upwell_variables(gateway)
    tokens = [name for name in variables if name.endswith("_TOKEN")]
    assert [variables.pop(name) for name in tokens] == [f"${{{name}:-}}" for name in tokens]
    own = load_settings(variables | NO_TOKENS)
    assert (own.kafka.address, own.data) == (worker.kafka.address, worker.data)
    assert gateway["volumes"] == SERVICES["worker"]["volumes"]
    *command, host, _, port = [one for one in gateway["command"] if one != "--host"]
    assert command == ["upwell", "serve"]
    assert gateway["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert f"http://127.0.0.1:{port}/readyz" in " ".join(gateway["healthcheck"]["test"])
    with pytest.raises(SettingsError, match="UPWELL_GATEWAY_OPERATOR_TOKEN"):
        check_listening(host, Gatekeeper(own.gateway))


def test_prometheus_scrapes_all_roles_of_whatever_runs() -> None:
    folder = ROOT / "infra" / "prometheus"
    assert "./infra/prometheus:/etc/prometheus:ro" in SERVICES["prometheus"]["volumes"]
    config = yaml.safe_load((folder / "prometheus.yml").read_text())
    assert all((folder / name).is_file() for name in config["rule_files"])
    [job] = config["scrape_configs"]
    *of_workers, of_gateway = job["dns_sd_configs"]
    assert all(found["names"] == list(WORKERS) for found in of_workers)
    ports = {found["port"] for found in of_workers}
    metrics = load_settings(upwell_variables(SERVICES["gateway"]) | NO_TOKENS).metrics
    assert of_gateway == {"names": ["gateway"], "type": "A", "port": metrics.port + GATEWAY_PLACE}
    for name in WORKERS:
        metrics = load_settings(upwell_variables(SERVICES[name])).metrics
        assert metrics.host == "0.0.0.0"  # noqa: S104 (of the container)
        assert ports == {metrics.port + place for place in (SERVE_PLACE, LEARN_PLACE)}
        assert "ports" not in SERVICES[name], "figures are for the other services alone"


def test_grafana_asks_prometheus_and_lets_nobody_in() -> None:
    sources = ROOT / "infra" / "grafana" / "provisioning" / "datasources" / "prometheus.yml"
    [source] = yaml.safe_load(sources.read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090"
    environment = SERVICES["grafana"]["environment"]
    assert environment["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
    assert environment["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == "true"


def test_the_replay_plays_a_log_of_the_mounted_folder() -> None:
    replay = SERVICES["replay"]
    *command, log = replay["command"]
    assert command == ["upwell", "replay"]
    default = re.fullmatch(r"/logs/\$\{LOG:-(.+)\}", log)
    assert default is not None
    assert replay["volumes"] == ["./data:/logs:ro"]
    assert (ROOT / "data" / default[1]).is_file()
    assert replay["restart"] == "no"


@pytest.mark.parametrize("name", SERVICES)
def test_variables_are_settings(name: str) -> None:
    known = {variable for variable, *_ in describe_settings(Settings())}
    assert set(upwell_variables(SERVICES[name])) <= known


@pytest.mark.parametrize("name", SERVICES)
def test_nothing_secret_stands_there(name: str) -> None:
    for variable, value in SERVICES[name].get("environment", {}).items():
        assert not SECRET.search(variable) or str(value).startswith("${"), variable
        assert not re.fullmatch(r"[0-9a-fA-F]{32,}|[\w+/-]{40,}={0,2}", str(value)), variable


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_open_to_this_machine_alone(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


def test_the_image_is_built_from_what_is_there() -> None:
    for name in (*WORKERS, "gateway", "replay"):
        assert SERVICES[name]["build"] == {"context": ".", "dockerfile": "infra/Dockerfile"}
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = [line[1:].rstrip("/") for line in ignored if line.startswith("!")]
    copied = [
        source.rstrip("/") for line in instructions("COPY") for source in shlex.split(line)[:-1]
    ]
    for source in copied:
        assert (ROOT / source).exists()
        assert any(fnmatch(source, pattern) for pattern in let_in), (
            f".dockerignore keeps {source} out"
        )
    wheel = re.search(r"^packages = \[(.*)\]$", (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert wheel is not None
    assert set(re.findall(r'"(\w+)"', wheel[1])) <= set(copied)


def test_the_image_has_hashes_an_own_user_and_a_health_check() -> None:
    assert instructions("FROM") == ["python:3.11-slim"]
    runs = instructions("RUN")
    assert any("--require-hashes -r requirements.lock" in run for run in runs)
    assert any("pip install --no-deps ." in run for run in runs)
    assert instructions("USER") == ["upwell"]
    assert len(instructions("HEALTHCHECK")) == 1
    assert instructions("CMD") == ['["upwell", "run"]']
    order = [
        DOCKERFILE.index(part)
        for part in ("COPY requirements.lock", "COPY upwell/", "USER upwell", "\nCMD")
    ]
    assert all(before < after for before, after in pairwise(order))
