"""infra/kubernetes without a cluster: what Kubernetes' own schemas say, that names fit each other
and are those of the settings, and that no secret stands there. KEDA's ScaledObject and Kustomize's
own file have no schema here: their names are held to the rest.
"""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml  # type: ignore[import-untyped]

from stream.broker.lag import INPUT_TOPICS
from stream.metrics.endpoint import ENCODE_PLACE, LEARN_PLACE, SERVE_PLACE
from stream.ops.commands.engine import roles_of
from stream.ops.supervise import ENCODE as ENCODE_ROLE
from tests.infra.test_compose import SECRET
from upwell.settings import load_settings
from upwell.settings.load import all_settings

FOLDER = Path(__file__).parents[2] / "infra" / "kubernetes"
KUSTOMIZATION: dict[str, Any] = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
OBJECTS: list[dict[str, Any]] = [
    one
    for name in KUSTOMIZATION["resources"]
    for one in yaml.safe_load_all((FOLDER / name).read_text())
]
OWN = [one for one in OBJECTS if "keda" not in one["apiVersion"]]
VERSION = "1.33"
ADDED = {"UPWELL_KEY": "0" * 64}
"""By the secret, which is made by hand."""


def called(one: dict[str, Any]) -> str:
    return f"{one['kind']}/{one['metadata']['name']}"


def named(name: str) -> dict[str, Any]:
    return next(one for one in OBJECTS if called(one) == name)


def pod(name: str) -> dict[str, Any]:
    spec: dict[str, Any] = named(f"StatefulSet/{name}")["spec"]["template"]["spec"]
    return spec


def refusal(one: dict[str, Any]) -> kubernetes_validate.ValidationError | None:
    """What Kubernetes' own schema has against it."""
    try:
        kubernetes_validate.validate(one, VERSION, strict=True)
    except kubernetes_validate.ValidationError as exc:
        return exc
    return None


def test_all_files_of_the_folder_are_named() -> None:
    files = {one.name for one in FOLDER.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(KUSTOMIZATION["resources"]) == files
    assert len({called(one) for one in OBJECTS}) == len(OBJECTS)


@pytest.mark.parametrize("one", OWN, ids=called)
def test_kubernetes_own_schema_takes_it(one: dict[str, Any]) -> None:
    assert refusal(one) is None


def test_the_schema_refuses_a_name_that_is_none() -> None:
    wrong = {**named("PodDisruptionBudget/serve"), "spec": {"maxUnavailble": 1}}
    assert "maxUnavailble" in str(refusal(wrong))


@pytest.mark.parametrize("role", ["serve", "learn"])
def test_the_settings_are_those_of_the_code_and_right(role: str) -> None:
    (container,) = pod(role)["containers"]
    given = dict(named("ConfigMap/upwell")["data"]) | ADDED
    given |= {one["name"]: one.get("value", f"{role}-0") for one in container["env"]}
    assert set(given) <= {one.variable for one in all_settings()}
    settings = load_settings(given)
    assert settings.store.kind == "server"
    mounts = {one["mountPath"]: one["name"] for one in container["volumeMounts"]}
    # a learner's lock is in its own data folder: two that share it would refuse each other
    assert mounts == {str(settings.data): "data", settings.models: "models"}


def test_serve_is_a_worker_and_learn_is_a_learner_beside_a_standby() -> None:
    (serve,), (learn,) = (pod(role)["containers"] for role in ("serve", "learn"))
    assert serve["command"] == ["upwell", "worker", "serve"]
    assert serve["stdin"]  # it ends when its standard input does
    assert named("StatefulSet/learn")["spec"]["replicas"] == 2
    name, roles = ["upwell", "run", "--roles"], "learn"
    assert learn["command"] == [*name, roles]
    assert roles_of(roles) == ("learn",)
    asked = [one["livenessProbe"]["exec"]["command"] for one in (serve, learn)]
    module = ["python", "-m", "infra.health"]
    assert asked == [[*module, "--own"], [*module, "--learner"]]


@pytest.mark.parametrize(("role", "place"), [("serve", SERVE_PLACE), ("learn", LEARN_PLACE)])
def test_prometheus_is_sent_to_where_each_role_answers(role: str, place: int) -> None:
    settings = load_settings(named("ConfigMap/upwell")["data"]).metrics
    assert ip_address(settings.host).is_unspecified, "from other pods too"
    port = settings.port + place
    told = named(f"StatefulSet/{role}")["spec"]["template"]["metadata"]["annotations"]
    assert told == {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": str(port),
        "prometheus.io/path": "/metrics",
    }
    (container,) = pod(role)["containers"]
    assert container["ports"] == [{"name": "metrics", "containerPort": port}]


def test_no_secret_stands_there() -> None:
    assert not [one for one in OBJECTS if one["kind"] == "Secret"]
    assert not [name for name in named("ConfigMap/upwell")["data"] if SECRET.search(name)]
    for role in ("serve", "learn"):
        (container,) = pod(role)["containers"]
        assert {"secretRef": {"name": "upwell"}} in container["envFrom"]


def test_serve_follows_the_lag_of_its_own_group_up_to_the_partitions() -> None:
    data = named("ConfigMap/upwell")["data"]
    spec = named("ScaledObject/serve")["spec"]
    assert called({"kind": spec["scaleTargetRef"]["kind"], "metadata": spec["scaleTargetRef"]}) in [
        called(one) for one in OBJECTS
    ]
    assert spec["maxReplicaCount"] == int(data["UPWELL_PARTITIONS"])
    for trigger in spec["triggers"]:
        told = trigger["metadata"]
        assert told["bootstrapServers"] == data["UPWELL_KAFKA"]
        assert told["consumerGroup"] == f"{data['UPWELL_PREFIX']}serve"
        assert told["topic"] in {data["UPWELL_PREFIX"] + topic for topic in INPUT_TOPICS}


@pytest.mark.parametrize("role", ["serve", "learn"])
def test_selectors_find_the_pods(role: str) -> None:
    labels = named(f"StatefulSet/{role}")["spec"]["template"]["metadata"]["labels"]
    for name in (f"StatefulSet/{role}", f"PodDisruptionBudget/{role}"):
        assert named(name)["spec"]["selector"]["matchLabels"] == labels
    assert named(f"Service/{role}")["spec"]["selector"] == labels
    volumes = {one["name"] for one in pod(role)["volumes"]} | {"data"}
    (container,) = pod(role)["containers"]
    assert {one["name"] for one in container["volumeMounts"]} <= volumes


ENCODE: list[dict[str, Any]] = [
    one
    for name in yaml.safe_load((FOLDER / "encode" / "kustomization.yaml").read_text())["resources"]
    for one in yaml.safe_load_all((FOLDER / "encode" / name).read_text())
]


@pytest.mark.parametrize("one", ENCODE, ids=called)
def test_kubernetes_own_schema_takes_the_encode_workers(one: dict[str, Any]) -> None:
    assert refusal(one) is None


def test_encode_workers_are_a_part_that_may_be_left_out() -> None:
    component = yaml.safe_load((FOLDER / "encode" / "kustomization.yaml").read_text())
    files = {one.name for one in (FOLDER / "encode").glob("*.yaml")} - {"kustomization.yaml"}
    patches = [one["path"] for one in component["patches"]]
    assert component["kind"] == "Component"
    assert files == {*component["resources"], *patches}
    assert "components" not in KUSTOMIZATION
    told = (FOLDER / "kustomization.yaml").read_text().replace("# components:", "components:")
    assert yaml.safe_load(told.replace("#   - encode", "  - encode"))["components"] == ["encode"]
    (patch,) = yaml.safe_load_all((FOLDER / "encode" / patches[0]).read_text())
    assert called(patch) == called(named("ConfigMap/upwell"))
    assert load_settings(patch["data"]).encoder.by == "encode"


def test_encode_workers_are_told_and_asked_as_they_are() -> None:
    deployment, budget = ENCODE
    template = deployment["spec"]["template"]
    (container,) = template["spec"]["containers"]
    given = dict(named("ConfigMap/upwell")["data"]) | ADDED
    given |= {one["name"]: one.get("value", "encode-0") for one in container["env"]}
    settings = load_settings(given)
    assert container["command"] == ["upwell", "worker", ENCODE_ROLE]
    assert container["stdin"]
    assert container["livenessProbe"]["exec"]["command"][2:] == ["infra.health", "--encode"]
    assert [one["mountPath"] for one in container["volumeMounts"]] == [settings.encoder.vectors]
    port = settings.metrics.port + ENCODE_PLACE
    assert container["ports"] == [{"name": "metrics", "containerPort": port}]
    assert template["metadata"]["annotations"]["prometheus.io/port"] == str(port)
    labels = template["metadata"]["labels"]
    assert deployment["spec"]["selector"]["matchLabels"] == labels
    assert budget["spec"]["selector"]["matchLabels"] == labels
    assert {"secretRef": {"name": "upwell"}} in container["envFrom"]
