"""The settings of Kafka as its two clients want them: kafka-python's keyword options and Faust's credentials."""

from __future__ import annotations

import ssl

import faust

from upwell.client import client_options
from upwell.settings import Settings

__all__ = ["client_options", "faust_broker", "faust_credentials"]


def faust_broker(settings: Settings) -> str:
    """The broker's addresses as a Faust URL."""
    return "kafka://" + ";".join((settings.kafka.address or "").split(","))


def faust_credentials(settings: Settings) -> faust.SASLCredentials | faust.SSLCredentials | None:
    """Who we are, for Faust; None on a plain connection."""
    kafka = settings.kafka
    context = ssl.create_default_context(cafile=kafka.ssl_cafile) if kafka.security_protocol.endswith("SSL") else None
    if kafka.security_protocol.startswith("SASL"):
        return faust.SASLCredentials(
            mechanism=kafka.sasl_mechanism,
            username=kafka.sasl_username,
            password=kafka.sasl_password.reveal() if kafka.sasl_password else None,
            ssl_context=context,
        )
    return faust.SSLCredentials(context=context) if context is not None else None
