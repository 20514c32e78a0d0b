"""A login to Kafka on one connection, done by hand so that the answer is seen: is it Kafka, does it
want a login, does it take ours.

The wire: https://kafka.apache.org/protocol (SaslHandshake 1, SaslAuthenticate 0). kafka-python
loses an answer that comes together with the end of the connection, as that of a refused login does.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping
from enum import Enum
from typing import Any

__all__ = ["Answer", "try_login"]

HANDSHAKE, AUTHENTICATE = (17, 1), (36, 0)
ILLEGAL_SASL_STATE = 34
MAX_ANSWER_BYTES = 1 << 20


class Answer(Enum):
    """What a broker says to a login."""

    LET_IN = "let in"
    REFUSED = "the user or the password is wrong"
    OTHER_MECHANISM = "a login of another mechanism is wanted"
    NO_LOGIN = "this listener takes no login"


def try_login(connection: socket.socket, client_options: Mapping[str, Any]) -> Answer:
    """Log in with kafka-python's options; without a user only ask whether one is wanted
    (`REFUSED`).

    Raises `OSError` where the other end does not speak Kafka's protocol.
    """
    mechanism = client_options.get("sasl_mechanism") or "PLAIN"
    try:
        error, _ = _asked(connection, HANDSHAKE, _text(mechanism.encode()))
        if error:
            return Answer.NO_LOGIN if error == ILLEGAL_SASL_STATE else Answer.OTHER_MECHANISM
        if client_options.get("sasl_plain_username") is None:
            return Answer.REFUSED
        return _authenticate(connection, mechanism, client_options)
    except (struct.error, ValueError, LookupError) as exc:
        raise OSError("not Kafka's protocol") from exc


def _authenticate(connection: socket.socket, mechanism: str, options: Mapping[str, Any]) -> Answer:
    from kafka.net.sasl import get_sasl_mechanism

    login = get_sasl_mechanism(mechanism)(host="", **options)
    while not login.is_done():
        token = login.auth_bytes()
        error, rest = _asked(connection, AUTHENTICATE, struct.pack(">i", len(token)) + token)
        if error:
            return Answer.REFUSED
        login.receive(_token(rest))
    return Answer.LET_IN if login.is_authenticated() else Answer.REFUSED


def _asked(connection: socket.socket, api: tuple[int, int], body: bytes) -> tuple[int, bytes]:
    """The error code of the answer to a request, and what follows it."""
    request = struct.pack(">hhi", *api, 0) + _text(b"upwell") + body
    connection.sendall(struct.pack(">i", len(request)) + request)
    (length,) = struct.unpack(">i", _read(connection, 4))
    if not 6 <= length <= MAX_ANSWER_BYTES:
        raise OSError("not Kafka's protocol")
    answer = _read(connection, length)
    return int(struct.unpack_from(">h", answer, 4)[0]), answer[6:]


def _token(answer: bytes) -> bytes:
    """The bytes behind the error's message, which is a nullable string."""
    (message,) = struct.unpack_from(">h", answer)
    start = 2 + max(message, 0)
    (length,) = struct.unpack_from(">i", answer, start)
    return answer[start + 4 : start + 4 + length]


def _read(connection: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        part = connection.recv(count - len(found))
        if not part:
            raise OSError("the connection was ended")
        found += part
    return found


def _text(value: bytes) -> bytes:
    return struct.pack(">h", len(value)) + value
