"""Figures of the gateway alone. It publishes no record: what is scraped is made when it is asked
for, in the shape of one.
"""

from __future__ import annotations

from stream.metrics.metric import Metric, Role

__all__ = ["FIGURES"]

GATEWAY: tuple[Role, ...] = ("gateway",)

FIGURES = (
    Metric(
        "gateway_requests",
        "counter",
        "requests.{call}.{status}",
        "requests",
        "answered, by call (its name in /openapi.json; `(none)` where it was not routed, and for "
        "the page's files) and HTTP status",
        GATEWAY,
        seldom=True,
    ),
    Metric(
        "gateway_request_seconds",
        "histogram",
        "request_seconds.{call}",
        "seconds",
        "from a request's headers until its answer begins, by call; those that wait for the engine "
        "(`requestList`, `forgetUser`, `rollBack`) with that time",
        GATEWAY,
        seldom=True,
    ),
    Metric(
        "gateway_refusals",
        "counter",
        "refusals.{reason}",
        "requests",
        "that were refused as a whole, by reason; of at most 100 reasons",
        GATEWAY,
    ),
    Metric(
        "gateway_events",
        "counter",
        "posted.{outcome}",
        "events",
        "that were posted: accepted (Kafka has them), refused as none, not acknowledged in time",
        GATEWAY,
    ),
    Metric("gateway_received_bytes", "counter", "bytes.received", "bytes", "of bodies", GATEWAY),
    Metric("gateway_sent_bytes", "counter", "bytes.sent", "bytes", "of answers' bodies", GATEWAY),
    Metric(
        "gateway_in_flight_events",
        "gauge",
        "in_flight.events",
        "events",
        "on their way to Kafka and not acknowledged; at UPWELL_GATEWAY_IN_FLIGHT callers get 429",
        GATEWAY,
    ),
    Metric(
        "gateway_in_flight_bytes", "gauge", "in_flight.bytes", "bytes", "of these events", GATEWAY
    ),
    Metric("gateway_live_lists", "gauge", "streams.open", "connections", "of live lists", GATEWAY),
    Metric(
        "gateway_dropped_clients",
        "counter",
        "streams.dropped",
        "connections",
        "of live lists that were ended because the client did not take them",
        GATEWAY,
    ),
    Metric("gateway_held_lists", "gauge", "lists", "users", "whose newest list is held", GATEWAY),
    Metric(
        "gateway_newest_list_timestamp_seconds",
        "gauge",
        "newest_list_at",
        "UTC seconds",
        "when the newest list that was read was published; by the broker's clock",
        GATEWAY,
        seldom=True,
        scale=0.001,
    ),
    Metric(
        "gateway_broker_silent_seconds",
        "gauge",
        "silent_seconds",
        "seconds",
        "since the broker last answered the reader of lists; asked every 2 seconds, above 10 the "
        "gateway is not ready",
        GATEWAY,
    ),
)
