"""The container's health check on a real broker: healthy while every worker speaks and all its
threads move, else a line that says who does not.
"""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic

from infra import health
from infra.health import LOOK_BACK_MS, MAX_SILENCE_MS, MAX_STILL_SECONDS, Spoken, main, unwell
from stream.broker.engines import engine_name
from upwell.system.clock import now_ms

NOW = 1_000_000_000
OWN = ["serve-0", "learn"]
LATE = NOW - MAX_SILENCE_MS - 1_000
STUCK = {"users": 0.1, "items": MAX_STILL_SECONDS + 1}
MOVING = {"users": 0.1, "items": MAX_STILL_SECONDS}


@pytest.mark.parametrize(
    ("spoken", "wrong"),
    [
        ([], ["serve-0 is silent", "learn is silent"]),
        ([Spoken("serve-0", NOW), Spoken("learn", NOW - MAX_SILENCE_MS)], []),
        ([Spoken("serve-0", NOW), Spoken("learn", LATE)], ["learn is silent for 61 s"]),
        ([Spoken("learn", NOW), Spoken("serve-0", LATE)], ["serve-0 is silent for 61 s"]),
        ([Spoken("serve-0", LATE), Spoken("serve-0", NOW), Spoken("learn", NOW + 5)], []),
    ],
)
def test_who_has_not_spoken_lately_is_silent(spoken: list[Spoken], wrong: list[str]) -> None:
    assert unwell(spoken, OWN, NOW) == wrong


@pytest.mark.parametrize(
    ("second", "wrong"),
    [
        (Spoken("serve-1", NOW), []),
        (Spoken("serve-1", LATE), ["serve-1 is silent for 61 s"]),
        (Spoken("serve-1", LATE, leaves=True), []),
        (Spoken("standby-h-1", NOW), []),
        (Spoken("standby-h-1", LATE), ["standby-h-1 is silent for 61 s"]),
        (Spoken("standby-h-1", NOW, leaves=True), []),  # it learns now, and says so
        (Spoken("serve-1", NOW, STUCK), ["serve-1's thread items stands still for 121 s"]),
        (Spoken("serve-0", NOW, STUCK), ["serve-0's thread items stands still for 121 s"]),
        (Spoken("serve-0", NOW, MOVING), []),
        (Spoken("serve-0", NOW, leaves=True), ["serve-0 is silent"]),
    ],
)
def test_one_live_worker_does_not_speak_for_a_dead_or_a_stuck_one(
    second: Spoken, wrong: list[str]
) -> None:
    assert unwell([Spoken("serve-0", NOW), Spoken("learn", NOW), second], OWN, NOW) == wrong


@pytest.fixture
def metrics(kafka: str, prefix: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The topic, made and empty."""
    monkeypatch.setenv("UPWELL_KAFKA", kafka)
    monkeypatch.setenv("UPWELL_PREFIX", prefix)
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    stamped = {"message.timestamp.type": "LogAppendTime"}
    one = NewTopic(
        prefix + "metrics", num_partitions=1, replication_factor=1, topic_configs=stamped
    )
    admin.create_topics([one], wait_for_metadata=True)
    admin.close()
    return prefix + "metrics"


def say(kafka: str, topic: str, *instances: str) -> None:
    """As workers of version 1 do: each with its instance, learn without one."""
    producer = KafkaProducer(bootstrap_servers=kafka, acks="all")
    for name in instances:
        role = "learn" if name == "learn" else "serve"
        told = {"role": role} | ({} if name == "learn" else {"instance": name, "beats": {}})
        producer.send(topic, key=name.encode(), value=orjson.dumps(told))
    producer.close()


def test_every_worker_makes_it_healthy(
    kafka: str, metrics: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def checked(*arguments: str) -> tuple[int, str]:
        return main(arguments), capsys.readouterr().out

    assert checked() == (1, "serve-0 is silent; learn is silent\n")
    say(kafka, metrics, "learn")
    assert checked() == (1, "serve-0 is silent\n")
    say(kafka, metrics, *["serve-0"] * 400, "learn")
    assert checked() == (0, "serve-0, learn are at work\n")
    say(kafka, metrics, "serve-1")
    assert checked() == (0, "serve-0, learn, serve-1 are at work\n")
    assert checked("--own") == (0, "serve-0, learn are at work\n")
    monkeypatch.setenv("UPWELL_INSTANCE", "serve-2")
    assert checked() == checked("--own") == (1, "serve-2 is silent\n")
    later = now_ms() + 2 * MAX_SILENCE_MS
    monkeypatch.setattr(health, "now_ms", lambda: later)
    assert checked("--own") == (1, "serve-2 is silent; learn is silent\n")
    code, said = checked()
    assert code == 1
    assert [one.rpartition(" for ")[0] for one in said.split("; ")] == [
        "",  # serve-2 never spoke
        "learn is silent",
        "serve-0 is silent",
        "serve-1 is silent",
    ]
    monkeypatch.setattr(health, "now_ms", lambda: later + LOOK_BACK_MS)
    assert checked() == (1, "serve-2 is silent; learn is silent\n")


def test_a_machine_that_only_learns_is_well_as_learner_and_as_standby(
    kafka: str,
    metrics: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def checked() -> tuple[int, str]:
        return main(["--learner"]), capsys.readouterr().out

    def told(role: str, engine: str, leaves: bool = False) -> None:
        name = "learn" if role == "learn" else f"{role}-{engine}"
        said = {"role": role, "instance": name, "engine": engine, "leaves": leaves}
        with KafkaProducer(bootstrap_servers=kafka, acks="all") as producer:
            producer.send(metrics, key=name.encode(), value=orjson.dumps(said))

    silent, well = (1, "learn is silent\n"), (0, "learn are at work\n")
    monkeypatch.setenv("UPWELL_DATA", str(tmp_path))
    told("learn", "other-1")
    assert checked() == silent  # nothing has run here
    own = engine_name(tmp_path)
    told("serve", own)
    assert checked() == silent
    told("standby", own)
    assert checked() == well
    told("standby", own, leaves=True)
    assert checked() == well  # it reads its checkpoint
    told("learn", own)
    told("learn", "other-1")  # the broker gave the place to another one meanwhile
    assert checked() == well
    later = now_ms() + 2 * MAX_SILENCE_MS
    monkeypatch.setattr(health, "now_ms", lambda: later)
    assert checked() == silent


def test_no_engine_and_no_settings_are_one_line(
    kafka: str, prefix: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main() == 3  # UPWELL_KAFKA is not set
    monkeypatch.setenv("UPWELL_KAFKA", kafka)
    monkeypatch.setenv("UPWELL_PREFIX", prefix)
    assert main() == 1  # no such topic
    monkeypatch.setenv("UPWELL_PARTITIONS", "none")
    assert main() == 2
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_an_encode_worker_answers_for_itself_alone(
    kafka: str, metrics: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPWELL_INSTANCE", "gpu-1")
    say(kafka, metrics, "serve-0", "encode-gpu-2")
    assert main(["--encode"]) == 1
    assert capsys.readouterr().out == "encode-gpu-1 is silent\n"
    say(kafka, metrics, "encode-gpu-1")
    assert main(["--encode"]) == 0
    assert capsys.readouterr().out == "encode-gpu-1 are at work\n"
