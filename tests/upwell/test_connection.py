"""What a listener answers in, who is to mend what out. The listener is played on a real socket with
kafka-python's own messages; tests/security/test_kafka_login.py asks a real Kafka.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from kafka.protocol.sasl import SaslAuthenticateResponse, SaslHandshakeResponse

from upwell.client import UpwellClient, client_options
from upwell.connection import check_advertised, check_login, refusal
from upwell.errors import BrokerError
from upwell.secret import Secret
from upwell.settings import KafkaSettings

UNSUPPORTED_MECHANISM, ILLEGAL_STATE, REFUSED = 33, 34, 58
CORRELATION = b"\0\0\0\1"
"""Of the first request, in the answer's first four bytes behind its length."""


@contextmanager
def listener(*answers: bytes) -> Iterator[str]:
    """Takes one connection, gives one answer a request, the last together with the end."""

    def serve() -> None:
        with server.accept()[0] as connection:
            for answer in answers:
                connection.recv(4096)
                connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        thread.join()


def handshake(error: int, *mechanisms: str) -> bytes:
    return framed(SaslHandshakeResponse(error_code=error, mechanisms=list(mechanisms), version=1))


def authenticate(error: int) -> bytes:
    return framed(
        SaslAuthenticateResponse(
            error_code=error, error_message="no" if error else None, auth_bytes=b"", version=0
        )
    )


def framed(answer: Any) -> bytes:
    answer.with_header(correlation_id=1)
    return bytes(answer.encode(framed=True, header=True))


def plain(address: str) -> dict[str, Any]:
    return client_options(KafkaSettings(address=address))


def login(address: str) -> dict[str, Any]:
    return client_options(
        KafkaSettings(
            address=address,
            security_protocol="SASL_PLAINTEXT",
            sasl_username="ann",
            sasl_password=Secret("hush"),
        )
    )


def told(address: str) -> str | None:
    try:
        check_login(login(address))
    except BrokerError as error:
        return str(error)
    return None


def test_who_is_let_in_hears_nothing() -> None:
    with listener(handshake(0, "PLAIN"), authenticate(0)) as address:
        assert told(address) is None


def test_an_answer_that_comes_with_the_end_of_the_connection_is_heard() -> None:
    """As Kafka's to a refused login does; kafka-python's own reader drops it."""
    with listener(handshake(0, "PLAIN"), authenticate(REFUSED)) as address:
        assert told(address) == (
            f"Kafka at {address} does not take the user or the password (PLAIN): check "
            "UPWELL_SASL_USERNAME and UPWELL_SASL_PASSWORD"
        )


@pytest.mark.parametrize(
    ("taken", "mend"),
    [
        (["SCRAM-SHA-512", "GSSAPI"], ": set UPWELL_SASL_MECHANISM to SCRAM-SHA-512"),
        (["GSSAPI", "line\nbreak"], ", nor of any that Upwell knows"),
        ([], ", nor of any that Upwell knows"),
    ],
)
def test_another_mechanism_is_named_where_upwell_knows_it(taken: list[str], mend: str) -> None:
    with listener(handshake(UNSUPPORTED_MECHANISM, *taken)) as address:
        assert told(address) == f"Kafka at {address} takes no login of PLAIN{mend}"


def test_a_listener_without_a_login() -> None:
    with listener(handshake(ILLEGAL_STATE)) as address:
        assert "takes no login there, UPWELL_SECURITY_PROTOCOL is SASL_PLAINTEXT" in str(
            told(address)
        )
    with listener(handshake(ILLEGAL_STATE)) as address:
        assert refusal(plain(address)) is None


@pytest.mark.parametrize("answer", [handshake(0, "PLAIN"), handshake(UNSUPPORTED_MECHANISM)])
def test_a_listener_that_wants_a_login(answer: bytes) -> None:
    with listener(answer) as address:
        assert str(refusal(plain(address))) == (
            f"Kafka at {address} wants a login: set UPWELL_SECURITY_PROTOCOL to SASL_PLAINTEXT, "
            "UPWELL_SASL_USERNAME and UPWELL_SASL_PASSWORD"
        )


def test_on_a_plain_connection_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: asked.append(address))
    check_login(plain("127.0.0.1:1"))
    assert asked == []


@settings(max_examples=50)
@given(
    st.sampled_from([b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0\0\0\0", b"\x7f\xff\xff\xff"])
    | st.binary(max_size=60)
    | st.binary(max_size=60).map(lambda body: len(body).to_bytes(4, "big") + body)
)
def test_whoever_does_not_speak_kafka_is_told_of(answer: bytes) -> None:
    assume(answer[4:8] != CORRELATION)
    with listener(answer) as address:
        line = str(refusal(plain(address)))
    assert "does not answer as Kafka would" in line
    assert "UPWELL_SECURITY_PROTOCOL is PLAINTEXT, is its listener so too?" in line
    assert "\n" not in line


def test_one_broker_of_several_without_a_name_keeps_no_app_from_starting(
    kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of one that is away for a while; `doctor` names it."""
    two = ["127.0.0.1", "no-such-host.invalid"]
    monkeypatch.setattr("upwell.connection._advertised", lambda *_: two)
    UpwellClient(kafka).close()
    with pytest.raises(BrokerError, match=r"on to no-such-host\.invalid, which does not resolve"):
        check_advertised(client_options(KafkaSettings(address=kafka)))
