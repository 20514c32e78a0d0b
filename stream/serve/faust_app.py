"""The Faust app of a serve worker: who it is, how it is let in, and what it asks of the client."""

from __future__ import annotations

import faust

from stream.serve.consumer import ServeApp
from upwell.connection import tls_context
from upwell.settings import Settings

__all__ = ["faust_app", "faust_broker", "faust_credentials"]

SESSION_TIMEOUT_S = 10.0
MAX_REQUEST_BYTES = 16 << 20
BATCH_BYTES = 256 << 10
"""Of a partition in one request. With Faust's 16 KiB, eight catalogue entries or four lists, a
micro-batch went out in many requests, each waiting for the one before. Not more, since no topic
need take more than a record of this size.
"""
BUFFER_EVENTS = 4_096
"""Of a chain that wait, at least. With a fourth of it a catalogue that is announced at once holds
up lists less in its first second, but a backlog of events is listed a third slower: more polls.
"""
SLACK = 5
"""Faust pauses a partition when so large a part of the buffer is left, and stops reading all topics
when nothing is: the part holds two events of each partition and more.
"""


def faust_broker(settings: Settings) -> str:
    """The broker's addresses as a Faust URL."""
    return "kafka://" + ";".join((settings.kafka.address or "").split(","))


def faust_credentials(settings: Settings) -> faust.SASLCredentials | faust.SSLCredentials | None:
    """Who we are, for Faust; None on a plain connection. Raises `SettingsError` where the file of
    authorities cannot be used.
    """
    kafka = settings.kafka
    context = tls_context(kafka)
    if kafka.security_protocol.startswith("SASL"):
        return faust.SASLCredentials(
            mechanism=kafka.sasl_mechanism,
            username=kafka.sasl_username,
            password=kafka.sasl_password.reveal() if kafka.sasl_password else None,
            ssl_context=context,
        )
    return faust.SSLCredentials(context=context) if context is not None else None


def faust_app(settings: Settings) -> faust.App:
    """An app without agents. Raises as `faust_credentials`."""
    buffered = max(BUFFER_EVENTS, 2 * SLACK * settings.kafka.partitions)
    return ServeApp(
        settings.kafka.prefix + "serve",
        broker=faust_broker(settings),
        datadir=settings.data / "faust",
        broker_credentials=faust_credentials(settings),
        broker_commit_interval=0.5,
        broker_max_poll_records=buffered // SLACK // settings.kafka.partitions,
        broker_session_timeout=SESSION_TIMEOUT_S,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=settings.stream.instance,
        producer_acks=-1,
        producer_max_batch_size=BATCH_BYTES,
        producer_max_request_size=MAX_REQUEST_BYTES,
        stream_buffer_maxsize=buffered,
        stream_wait_empty=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        store="memory://",
    )
