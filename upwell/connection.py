"""How a client is let in by Kafka, and why it was not: TLS, and one clear line that names the setting to mend.

kafka-python tries again until its time is up and then only says that it is; what the broker or TLS said stays in its log.
So a failed client is followed by one connection that is watched.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from typing import Any

from upwell.errors import BrokerError, SettingsError
from upwell.login_probe import Answer, try_login
from upwell.settings import KafkaSettings

__all__ = ["refusal", "tls_context"]

TRY_SECONDS = 5.0


def tls_context(kafka: KafkaSettings) -> ssl.SSLContext | None:
    """What checks the broker's certificate and name; None on a connection without TLS. Raises `SettingsError`.

    Without UPWELL_SSL_CAFILE the authorities of this machine are trusted.
    """
    if not kafka.security_protocol.endswith("SSL"):
        return None
    try:
        return ssl.create_default_context(cafile=kafka.ssl_cafile)
    except ssl.SSLError as exc:  # an OSError too
        raise SettingsError(f"UPWELL_SSL_CAFILE is {kafka.ssl_cafile}: it holds no certificate in PEM ({exc.reason or 'empty'})") from exc
    except OSError as exc:
        raise SettingsError(f"UPWELL_SSL_CAFILE is {kafka.ssl_cafile}: it cannot be read ({exc.strerror}); name a file in PEM") from exc


def refusal(client_options: Mapping[str, Any]) -> BrokerError | None:
    """Why a broker that listens does not let this client in, of the first address that does; None where nobody listens, or all is well.

    client_options: of `upwell.client.client_options`. Takes a few seconds at most.
    """
    for address in client_options["bootstrap_servers"]:
        host, _, port = address.strip().rpartition(":")
        try:
            connection = socket.create_connection((host.strip("[]"), int(port)), timeout=TRY_SECONDS)
        except (OSError, ValueError, OverflowError):
            continue
        with connection:
            return _refusal_at(address, host.strip("[]"), connection, client_options)
    return None


def _refusal_at(address: str, host: str, connection: socket.socket, options: Mapping[str, Any]) -> BrokerError | None:
    protocol = options.get("security_protocol", "PLAINTEXT")
    context: ssl.SSLContext | None = options.get("ssl_context")
    try:
        if context is None:
            answer = try_login(connection, options)
        else:
            with context.wrap_socket(connection, server_hostname=host) as encrypted:
                answer = try_login(encrypted, options)
    except ssl.SSLCertVerificationError as exc:
        why = exc.verify_message
        return BrokerError(
            f"Kafka's certificate at {address} is not trusted ({why}): set UPWELL_SSL_CAFILE to the authority that signed it"
        )
    except OSError as exc:
        why = getattr(exc, "reason", None) or exc.strerror or str(exc)
        mend = f"UPWELL_SECURITY_PROTOCOL is {protocol}, is its listener so too?"
        return BrokerError(f"{address} listens, but does not answer as Kafka would ({why}): {mend}")
    told = _told(answer, protocol, options.get("sasl_mechanism"))
    return None if told is None else BrokerError(f"Kafka at {address} {told}")


def _told(answer: Answer, protocol: str, mechanism: str | None) -> str | None:
    logs_in = protocol.startswith("SASL")
    match answer:
        case Answer.LET_IN:
            return None
        case Answer.NO_LOGIN:
            return f"takes no login there, UPWELL_SECURITY_PROTOCOL is {protocol}: set it as the listener is" if logs_in else None
        case _ if not logs_in:
            return f"wants a login: set UPWELL_SECURITY_PROTOCOL to SASL_{protocol}, UPWELL_SASL_USERNAME and UPWELL_SASL_PASSWORD"
        case Answer.OTHER_MECHANISM:
            return f"takes no login of {mechanism}: set UPWELL_SASL_MECHANISM to one that it takes"
        case Answer.REFUSED:
            return f"does not take the user or the password ({mechanism}): check UPWELL_SASL_USERNAME and UPWELL_SASL_PASSWORD"
