"""How a client is let in by Kafka, and why it was not: TLS, and one clear line that names the
setting to mend.

kafka-python tries again until its time is up and then only says that it is; what TLS said stays in
its log, and a broker's answer to a refused login is lost, since it comes together with the end of
the connection. So one connection is made that is watched, before a client that logs in and after
one that failed. Its messages are kafka-python's, its socket is read here (docs/decisions/0018).
"""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Mapping
from typing import Any, get_args, get_type_hints

from upwell.errors import BrokerError, SettingsError
from upwell.settings import KafkaSettings

__all__ = ["check_advertised", "check_login", "refusal", "tls_context"]

TRY_SECONDS = 5.0
MAX_ANSWER_BYTES = 1 << 20
MECHANISMS = get_args(get_type_hints(KafkaSettings)["sasl_mechanism"])


def tls_context(kafka: KafkaSettings) -> ssl.SSLContext | None:
    """What checks the broker's certificate and name; None on a connection without TLS. Raises
    `SettingsError`.

    Without UPWELL_SSL_CAFILE the authorities of this machine are trusted.
    """
    if not kafka.security_protocol.endswith("SSL"):
        return None
    try:
        return ssl.create_default_context(cafile=kafka.ssl_cafile)
    except ssl.SSLError as exc:  # an OSError too
        raise SettingsError(
            f"UPWELL_SSL_CAFILE is {kafka.ssl_cafile}: it holds no certificate in PEM "
            f"({exc.reason or 'empty'})"
        ) from exc
    except OSError as exc:
        raise SettingsError(
            f"UPWELL_SSL_CAFILE is {kafka.ssl_cafile}: it cannot be read ({exc.strerror}); "
            "name a file in PEM"
        ) from exc


def check_login(client_options: Mapping[str, Any]) -> None:
    """Before a client is made that would try for long: raises `BrokerError` where the broker's
    certificate or our login is refused.

    client_options: of `upwell.client.client_options`. On a plain connection nothing is asked.
    """
    protocol = client_options.get("security_protocol", "PLAINTEXT")
    if (
        protocol != "PLAINTEXT"
        and (why := _first_refusal(client_options, asking=protocol.startswith("SASL"))) is not None
    ):
        raise why


def check_advertised(client_options: Mapping[str, Any], *, bear_some: bool = False) -> None:
    """Raises `BrokerError` where the brokers send clients on to addresses that do not resolve here.

    client_options: of `upwell.client.client_options`, after `check_login`. bear_some: only where
    none of them does, since a broker that is away may have no name meanwhile.
    """
    if (why := _sent_astray(client_options, bear_some)) is not None:
        raise why


def refusal(client_options: Mapping[str, Any]) -> BrokerError | None:
    """Why a client that failed was not let in; None where nobody listens, or where that was not the
    reason. Takes seconds at most.
    """
    return _first_refusal(client_options, asking=True) or _sent_astray(client_options)


def _first_refusal(options: Mapping[str, Any], *, asking: bool) -> BrokerError | None:
    """Of the first address that listens.

    asking: whether it wants a login; a plain listener other than Kafka's may dislike the question.
    """
    for address in options["bootstrap_servers"]:
        host, _, port = address.strip().rpartition(":")
        try:
            connection = socket.create_connection(
                (host.strip("[]"), int(port)), timeout=TRY_SECONDS
            )
        except (OSError, ValueError, OverflowError):
            continue
        with connection:
            return _refusal_at(address, host.strip("[]"), connection, options, asking)
    return None


def _refusal_at(
    address: str, host: str, connection: socket.socket, options: Mapping[str, Any], asking: bool
) -> BrokerError | None:
    protocol = options.get("security_protocol", "PLAINTEXT")
    context: ssl.SSLContext | None = options.get("ssl_context")
    try:
        with (
            connection
            if context is None
            else context.wrap_socket(connection, server_hostname=host) as opened
        ):
            told = _told_at_login(opened, options) if asking else None
    except ssl.SSLCertVerificationError as exc:
        mend = f"({exc.verify_message}): set UPWELL_SSL_CAFILE to the authority that signed it"
        return BrokerError(f"Kafka's certificate at {address} is not trusted {mend}")
    except OSError as exc:
        why = getattr(exc, "reason", None) or exc.strerror or str(exc)
        mend = f"UPWELL_SECURITY_PROTOCOL is {protocol}, is its listener so too?"
        return BrokerError(f"{address} listens, but does not answer as Kafka would ({why}): {mend}")
    return None if told is None else BrokerError(f"Kafka at {address} {told}")


def _told_at_login(connection: socket.socket, options: Mapping[str, Any]) -> str | None:
    """What is wrong with our way to log in, or not to; None where it is what the listener takes.

    Raises `OSError` where the other end does not speak Kafka's protocol.
    """
    from kafka.errors import KafkaError

    try:
        if options.get("security_protocol", "PLAINTEXT").startswith("SASL"):
            return _told_with_login(connection, options)
        return _told_without_login(connection, options)
    except (KafkaError, ValueError, LookupError, struct.error) as exc:
        raise OSError("not Kafka's protocol") from exc


def _sent_astray(options: Mapping[str, Any], bear_some: bool = False) -> BrokerError | None:
    """Of the first address that listens; None where what it advertises resolves, or nobody does."""
    for address in options["bootstrap_servers"]:
        host, _, port = address.strip().rpartition(":")
        try:
            connection = socket.create_connection((host.strip("[]"), int(port)), TRY_SECONDS)
        except (OSError, ValueError, OverflowError):
            continue
        with connection:
            named = _advertised(connection, host, options)
        lost = [one for one in named if not _resolves(one)]
        if bear_some and len(lost) < len(named):
            return None
        return (
            BrokerError(
                f"Kafka at {address} answers, and sends its clients on to {', '.join(lost)}, which "
                "does not resolve here: set advertised.listeners of the broker to a name that this "
                "machine knows, or make it known (DNS, /etc/hosts)"
            )
            if lost
            else None
        )
    return None


def _advertised(connection: socket.socket, host: str, options: Mapping[str, Any]) -> list[str]:
    """The brokers' names; none where the other end does not speak Kafka's protocol."""
    from kafka.errors import KafkaError
    from kafka.protocol.metadata import MetadataRequest

    context: ssl.SSLContext | None = options.get("ssl_context")
    try:
        opened = (
            connection
            if context is None
            else context.wrap_socket(connection, server_hostname=host.strip("[]"))
        )
        with opened:
            if options.get("security_protocol", "PLAINTEXT").startswith("SASL"):
                _told_with_login(opened, options)
            answer = _asked(opened, MetadataRequest(topics=[], version=1))
            return sorted({str(one.host) for one in answer.brokers})
    except (OSError, KafkaError, ValueError, LookupError, struct.error):
        return []


def _resolves(host: str) -> bool:
    try:
        socket.getaddrinfo(host, None)
    except OSError:
        return False
    return True


def _told_without_login(connection: socket.socket, options: Mapping[str, Any]) -> str | None:
    from kafka.errors import IllegalSaslStateError, for_code
    from kafka.protocol.sasl import SaslHandshakeRequest

    answer = _asked(connection, SaslHandshakeRequest(mechanism="PLAIN", version=1))
    if for_code(answer.error_code) is IllegalSaslStateError:  # nobody logs in there
        return None
    return (
        "wants a login: set UPWELL_SECURITY_PROTOCOL to "
        f"SASL_{options.get('security_protocol', 'PLAINTEXT')}, UPWELL_SASL_USERNAME and "
        "UPWELL_SASL_PASSWORD"
    )


def _told_with_login(connection: socket.socket, options: Mapping[str, Any]) -> str | None:
    from kafka.errors import IllegalSaslStateError, NoError, for_code
    from kafka.protocol.sasl import SaslHandshakeRequest

    mechanism = options["sasl_mechanism"]
    answer = _asked(connection, SaslHandshakeRequest(mechanism=mechanism, version=1))
    error = for_code(answer.error_code)
    if error is IllegalSaslStateError:
        return (
            f"takes no login there, UPWELL_SECURITY_PROTOCOL is {options['security_protocol']}: "
            "set it as the listener is"
        )
    if error is not NoError:
        taken = " or ".join(one for one in MECHANISMS if one in answer.mechanisms)
        mend = (
            f": set UPWELL_SASL_MECHANISM to {taken}" if taken else ", nor of any that Upwell knows"
        )
        return f"takes no login of {mechanism}{mend}"
    if not _let_in(connection, options):
        return (
            f"does not take the user or the password ({mechanism}): check UPWELL_SASL_USERNAME "
            "and UPWELL_SASL_PASSWORD"
        )
    return None


def _let_in(connection: socket.socket, options: Mapping[str, Any]) -> bool:
    from kafka.net.sasl import get_sasl_mechanism
    from kafka.protocol.sasl import SaslAuthenticateRequest

    login = get_sasl_mechanism(options["sasl_mechanism"])(host="", **options)
    while not login.is_done():
        answer = _asked(connection, SaslAuthenticateRequest(login.auth_bytes(), version=0))
        if answer.error_code:
            return False
        login.receive(answer.auth_bytes)
    return bool(login.is_authenticated())


def _asked(connection: socket.socket, request: Any) -> Any:
    """kafka-python's answer to its request, read before the end of the connection is."""
    from kafka.protocol.parser import KafkaProtocol

    protocol = KafkaProtocol(client_id="upwell", receive_message_max_bytes=MAX_ANSWER_BYTES)
    protocol.send_request(request)
    connection.sendall(protocol.send_bytes())
    while part := connection.recv(4096):
        for _, answer in protocol.receive_bytes(part):
            return answer
    raise OSError("the connection was ended")
