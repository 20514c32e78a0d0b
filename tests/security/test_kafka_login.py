"""TLS and logins against a real Kafka: apps and workers are let in, and who is not let in is told
which setting to mend.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from stream.broker.feeds import Broadcast
from stream.broker.topics import ensure_topics
from stream.ops.doctor import examine
from tests.security.secured import PASSWORD, SecuredKafka
from upwell.client import UpwellClient, client_options
from upwell.connection import refusal
from upwell.errors import BrokerError, SettingsError, UpwellError
from upwell.events import Topic
from upwell.settings import KafkaSettings, load_settings

PREFIX = "secured."
WORKER_SECONDS = 60.0


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    with SecuredKafka(tmp_path_factory.mktemp("secured")) as broker:
        ensure_topics(PREFIX, 4, client_options(broker.plain(PREFIX)))
        yield broker


LISTENERS: dict[str, Callable[[SecuredKafka], KafkaSettings]] = {
    "tls": lambda broker: broker.tls(PREFIX),
    "scram": lambda broker: broker.login(PREFIX),
    "plain": lambda broker: broker.login(PREFIX, "PLAIN"),
}
listeners = pytest.mark.parametrize("settings_of", LISTENERS.values(), ids=LISTENERS)


def variables(kafka: KafkaSettings, data: Path) -> dict[str, str]:
    """The settings as a worker's environment."""
    given = {
        "UPWELL_KAFKA": kafka.address,
        "UPWELL_PREFIX": kafka.prefix,
        "UPWELL_SECURITY_PROTOCOL": kafka.security_protocol,
        "UPWELL_SASL_MECHANISM": kafka.sasl_mechanism,
        "UPWELL_SASL_USERNAME": kafka.sasl_username,
        "UPWELL_SASL_PASSWORD": kafka.sasl_password.reveal() if kafka.sasl_password else None,
        "UPWELL_SSL_CAFILE": kafka.ssl_cafile,
        "UPWELL_DATA": str(data),
        "UPWELL_STORE": "memory",
        "UPWELL_FUSED": "off",
    }
    return {name: value for name, value in given.items() if value}


@listeners
def test_an_app_writes_and_reads(
    secured: SecuredKafka, settings_of: Callable[[SecuredKafka], KafkaSettings]
) -> None:
    kafka = settings_of(secured)
    ensure_topics(PREFIX, 4, client_options(kafka))
    feed = Broadcast(PREFIX + Topic.QUERIES, client_options(kafka))
    with UpwellClient(kafka.address or "", kafka) as client:
        asked = client.query("ann", f"with {kafka.sasl_mechanism}")
        client.flush()
        feed.start()
        assert asked.event_id in str([record.value for record in feed.drain()])
        assert list(client.lists("nobody", timeout=0.1)) == []
    feed.stop()


def test_faust_workers_answer_over_tls_and_over_a_login(
    secured: SecuredKafka, tmp_path: Path
) -> None:
    """The password is in no log of theirs."""
    listeners = {"tls": secured.tls("over-tls."), "scram": secured.login("over-scram.")}
    with ExitStack() as workers:
        for name, kafka in listeners.items():
            ensure_topics(kafka.prefix, 4, client_options(secured.plain(kafka.prefix)))
            workers.enter_context(serving(kafka, tmp_path / name))
        for kafka in listeners.values():
            with UpwellClient(kafka.address or "", kafka) as client:
                assert client.request_list("ann", timeout=WORKER_SECONDS).user_id == "ann"
    assert PASSWORD not in "".join((tmp_path / name / "log").read_text() for name in listeners)


@contextmanager
def serving(kafka: KafkaSettings, folder: Path) -> Iterator[None]:
    folder.mkdir()
    with (folder / "log").open("wb") as log:
        command = [sys.executable, "-m", "tests.security.echo"]
        environ = {**os.environ, **variables(kafka, folder)}
        worker = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=log, stderr=log, env=environ
        )
    with worker:  # its standard input, whose end ends it, is closed first
        yield


WRONG: dict[str, tuple[Callable[[SecuredKafka], KafkaSettings], str]] = {
    "password": (
        lambda broker: broker.login(PREFIX, password="wrong-horse"),
        "UPWELL_SASL_PASSWORD",
    ),
    "password, PLAIN": (
        lambda broker: broker.login(PREFIX, "PLAIN", "wrong-horse"),
        "UPWELL_SASL_PASSWORD",
    ),
    "mechanism": (
        lambda broker: broker.login(PREFIX, "SCRAM-SHA-512"),
        "takes no login of SCRAM-SHA-512: set UPWELL_SASL_MECHANISM to PLAIN or SCRAM-SHA-256$",
    ),
    "needless login": (
        lambda broker: replace(broker.login(PREFIX), address=broker.tls(PREFIX).address),
        "UPWELL_SECURITY_PROTOCOL",
    ),
    "untrusted": (
        lambda broker: replace(broker.tls(PREFIX), ssl_cafile=None),
        "not trusted .*UPWELL_SSL_CAFILE",
    ),
    "no TLS there": (
        lambda broker: replace(broker.tls(PREFIX), address=broker.plain(PREFIX).address),
        "UPWELL_SECURITY_PROTOCOL is SSL",
    ),
}


@pytest.mark.parametrize(("settings_of", "named"), WRONG.values(), ids=WRONG)
def test_who_is_not_let_in_is_told_the_setting(
    secured: SecuredKafka, settings_of: Callable[[SecuredKafka], KafkaSettings], named: str
) -> None:
    kafka = settings_of(secured)
    for connect in (
        lambda: UpwellClient(kafka.address or "", kafka),
        lambda: ensure_topics(PREFIX, 4, client_options(kafka)),
        lambda: Broadcast(PREFIX + Topic.MODELS, client_options(kafka)).start(),
    ):
        assert "wrong-horse" not in one_line(connect, BrokerError, named)


def test_a_client_that_failed_is_told_what_the_listener_wants(secured: SecuredKafka) -> None:
    """What only a failed client asks, for not every plain listener takes the question."""
    plain, tls, login = secured.plain(PREFIX), secured.tls(PREFIX), secured.login(PREFIX)
    for kafka, named in (
        (
            replace(tls, address=login.address),
            "set UPWELL_SECURITY_PROTOCOL to SASL_SSL, UPWELL_SASL_USERNAME",
        ),
        (
            replace(plain, address=tls.address),
            "UPWELL_SECURITY_PROTOCOL is PLAINTEXT, is its listener so too",
        ),
    ):
        assert named in str(refusal(client_options(kafka)))
    for fine in (plain, tls, login, KafkaSettings(address="127.0.0.1:1")):
        assert refusal(client_options(fine)) is None


def test_a_file_of_authorities_that_is_none_is_named(tmp_path: Path) -> None:
    """Before anybody is asked: there is no broker here."""
    (tmp_path / "empty.pem").touch()
    for cafile, why in (
        (tmp_path / "none.pem", "No such file"),
        (tmp_path, "Is a directory"),
        (tmp_path / "empty.pem", "no certificate"),
    ):
        kafka = KafkaSettings(
            address="127.0.0.1:1", security_protocol="SSL", ssl_cafile=str(cafile)
        )
        named = f"UPWELL_SSL_CAFILE is {cafile}.*{why}"
        one_line(lambda kafka=kafka: client_options(kafka), SettingsError, named)  # type: ignore[misc]
        one_line(lambda kafka=kafka: UpwellClient("127.0.0.1:1", kafka), SettingsError, named)  # type: ignore[misc]


def test_doctor_tells_it_too_and_masks(secured: SecuredKafka, tmp_path: Path) -> None:
    given = variables(secured.login(PREFIX, password="wrong-horse"), tmp_path)
    settings, broker = islice(examine(load_settings(given)), 2)
    assert "UPWELL_SASL_PASSWORD=***" in settings.detail
    assert not broker.fine
    assert "does not take the user or the password" in broker.detail
    assert "wrong-horse" not in settings.detail + broker.detail


def one_line(connect: Callable[[], object], kind: type[UpwellError], named: str) -> str:
    with pytest.raises(kind, match=named) as error:
        connect()
    assert "\n" not in str(error.value)
    return str(error.value)
