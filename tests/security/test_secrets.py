"""Of no secret setting is anything seen, wherever settings, clients and faults are printed or
logged.
"""

from __future__ import annotations

import copy
import dataclasses
import io
import logging
import pickle
import socket
import traceback
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout

import orjson
import pytest
from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from store.server import ServerOptions
from stream.ops.doctor import examine
from stream.serve.faust_app import faust_credentials
from upwell.client import UpwellClient, client_options
from upwell.errors import BrokerError, SettingsError
from upwell.secret import Secret
from upwell.settings import Settings, all_settings, describe_settings, load_settings

HEX = "5ec2e7" * 11
BASE = {
    "UPWELL_KAFKA": "127.0.0.1:1",
    "UPWELL_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
    "UPWELL_SASL_USERNAME": "ann",
    "UPWELL_STORE": "memory",
}


def secret_variables() -> list[str]:
    """Every setting whose type is a secret."""
    return [one.variable for one in all_settings() if one.plain_kind is Secret]


SECRETS = dict.fromkeys(secret_variables(), HEX)


@pytest.fixture
def settings() -> Settings:
    return load_settings({**BASE, **SECRETS})


@pytest.fixture
def everything_logged() -> Iterator[io.StringIO]:
    """What any logger says, at the lowest level, with tracebacks."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    root = logging.getLogger()
    before = root.level, logging.getLogger("kafka").level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    logging.getLogger("kafka").setLevel(logging.DEBUG)
    yield written
    root.setLevel(before[0])
    logging.getLogger("kafka").setLevel(before[1])
    root.removeHandler(handler)


def test_the_secrets_are_these() -> None:
    """A new one is found by itself; one that is no longer a `Secret` is missed here."""
    assert set(SECRETS) == {
        "UPWELL_SASL_PASSWORD",
        "UPWELL_QDRANT_API_KEY",
        "UPWELL_KEY",
        "UPWELL_GATEWAY_APP_TOKEN",
        "UPWELL_GATEWAY_OPERATOR_TOKEN",
    }


def test_no_print_shows_one(settings: Settings) -> None:
    api_key = settings.store.api_key
    assert api_key is not None
    options = ServerOptions("https://far:6333", api_key.reveal())
    shown = [
        repr(settings),
        f"{settings} {settings.kafka!r} {settings.store} {settings.privacy} {settings.gateway}",
        str(list(describe_settings(settings))),
        repr(client_options(settings.kafka)),
        repr(faust_credentials(settings)),
        repr(options),
        next(examine(settings)).detail,
        "%s %r" % (api_key, api_key.reveal()),  # noqa: UP031
    ]
    assert [one for one in shown if HEX in one] == []
    assert all(f"{name}=***" in shown[6] for name in SECRETS)


def test_what_is_revealed_is_a_text_like_any_other() -> None:
    text = Secret("hush").reveal()
    assert (text, len(text), text.encode(), hash(text)) == ("hush", 4, b"hush", hash("hush"))
    assert f"{text}" + text.upper() == "hushHUSH"


def test_a_wrong_one_is_not_quoted() -> None:
    with pytest.raises(SettingsError, match="UPWELL_KEY is not right") as error:
        load_settings({"UPWELL_KEY": HEX[:40]})
    assert HEX[:40] not in "".join(
        traceback.TracebackException.from_exception(error.value).format()
    )


def test_none_is_written_by_accident(settings: Settings) -> None:
    for write in (pickle.dumps, copy.deepcopy, orjson.dumps, dataclasses.asdict):
        with pytest.raises(TypeError) as error:
            write(settings)
        assert HEX not in str(error.value)


def test_no_log_nor_traceback_of_a_client_shows_one(
    settings: Settings, everything_logged: io.StringIO
) -> None:
    """kafka-python's admin client logs its options; the faults come from a port that nobody listens
    on.
    """
    kafka = dataclasses.replace(settings.kafka, wait=0.05)
    options = client_options(kafka)
    faults: list[BaseException] = []
    with redirect_stdout(everything_logged), redirect_stderr(everything_logged):
        for connect in (
            lambda: UpwellClient(kafka.address or "", kafka),
            lambda: KafkaAdminClient(**options, nonsense=1),
        ):
            with pytest.raises((BrokerError, KafkaError)) as error:
                connect()
            faults.append(error.value)
    told = [
        "".join(traceback.TracebackException.from_exception(fault, capture_locals=True).format())
        for fault in faults
    ]
    logged = everything_logged.getvalue()
    assert "Starting KafkaAdminClient with configuration" in logged
    assert "'sasl_plain_password': ***" in logged
    assert [one for one in [*told, logged] if HEX in one] == []


def test_a_login_that_fails_leaves_no_trace_of_it(
    settings: Settings, everything_logged: io.StringIO
) -> None:
    """Somebody else listens: what is sent to them is not logged, nor in the fault."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        kafka = dataclasses.replace(settings.kafka, address=address)
        other.settimeout(5)
        with pytest.raises(BrokerError, match="does not answer as Kafka would") as error:
            _hang_up_on(other, lambda: UpwellClient(address, kafka))
    told = "".join(
        traceback.TracebackException.from_exception(error.value, capture_locals=True).format()
    )
    assert HEX not in told + everything_logged.getvalue()


def _hang_up_on(listener: socket.socket, connect: Callable[[], object]) -> None:
    """Run `connect` while each connection is ended as soon as it is there."""
    import threading

    def answer() -> None:
        for _ in range(2):  # is anybody there, then the login
            listener.accept()[0].close()

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        connect()
    finally:
        thread.join()
