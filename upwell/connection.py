"""How a client is let in by Kafka, and why it was not: TLS, and one clear line that names the
setting to mend.

kafka-python tries again until its time is up and then only says that it is; what the broker or TLS
said stays in its log. So one connection is made that is watched: before a client that logs in, and
after one that failed.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from typing import Any

from upwell.errors import BrokerError, SettingsError
from upwell.login_probe import Answer, try_login
from upwell.settings import KafkaSettings

__all__ = ["check_login", "refusal", "tls_context"]

TRY_SECONDS = 5.0


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


def refusal(client_options: Mapping[str, Any]) -> BrokerError | None:
    """Why a client that failed was not let in; None where nobody listens, or where that was not the
    reason. Takes seconds at most.
    """
    return _first_refusal(client_options, asking=True)


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
            told = (
                _told(try_login(opened, options), protocol, options.get("sasl_mechanism"))
                if asking
                else None
            )
    except ssl.SSLCertVerificationError as exc:
        mend = f"({exc.verify_message}): set UPWELL_SSL_CAFILE to the authority that signed it"
        return BrokerError(f"Kafka's certificate at {address} is not trusted {mend}")
    except OSError as exc:
        why = getattr(exc, "reason", None) or exc.strerror or str(exc)
        mend = f"UPWELL_SECURITY_PROTOCOL is {protocol}, is its listener so too?"
        return BrokerError(f"{address} listens, but does not answer as Kafka would ({why}): {mend}")
    return None if told is None else BrokerError(f"Kafka at {address} {told}")


def _told(answer: Answer, protocol: str, mechanism: str | None) -> str | None:
    logs_in = protocol.startswith("SASL")
    match answer:
        case Answer.LET_IN:
            return None
        case Answer.NO_LOGIN:
            return (
                f"takes no login there, UPWELL_SECURITY_PROTOCOL is {protocol}: set it as "
                "the listener is"
                if logs_in
                else None
            )
        case _ if not logs_in:
            return (
                f"wants a login: set UPWELL_SECURITY_PROTOCOL to SASL_{protocol}, "
                "UPWELL_SASL_USERNAME and UPWELL_SASL_PASSWORD"
            )
        case Answer.OTHER_MECHANISM:
            return f"takes no login of {mechanism}: set UPWELL_SASL_MECHANISM to one that it takes"
        case Answer.REFUSED:
            return (
                f"does not take the user or the password ({mechanism}): check "
                "UPWELL_SASL_USERNAME and UPWELL_SASL_PASSWORD"
            )
