"""What stands on the gateway's dashboard. It knows nothing of Grafana's files."""

from __future__ import annotations

from infra.panel import Dashboard, panel, quantiles, rates

__all__ = ["GATEWAY"]

GATEWAY = Dashboard(
    "gateway",
    "Upwell: the gateway",
    (
        panel(
            "Requests",
            "ops",
            "answered a second, by HTTP status; 429 and 503 are told to come again",
            rates("gateway_requests", "status"),
        ),
        panel(
            "Requests by call",
            "ops",
            "a second, by the call's name in /openapi.json",
            rates("gateway_requests", "call"),
        ),
        panel(
            "Time to an answer",
            "s",
            "the 99th of a hundred, by call; some wait for the engine by nature",
            quantiles("upwell_gateway_request_seconds", "call")[1],
        ),
        panel(
            "Refused",
            "ops",
            "requests, by reason; `busy` and `not_acknowledged`: Kafka is slow",
            rates("gateway_refusals", "reason"),
        ),
        panel(
            "Events",
            "ops",
            "posted a second, by what became of them",
            rates("gateway_events", "outcome"),
        ),
        panel(
            "On their way to Kafka",
            "short",
            "events that are not acknowledged yet; bytes of them",
            ("upwell_gateway_in_flight_events", "{{instance}} events"),
            ("upwell_gateway_in_flight_bytes", "{{instance}} bytes"),
        ),
        panel(
            "Live lists",
            "short",
            "connections that are open, and those that were ended because nobody took the lists",
            ("upwell_gateway_live_lists", "{{instance}} open"),
            ("upwell_gateway_dropped_clients_total", "{{instance}} ended"),
        ),
        panel(
            "Bytes",
            "Bps",
            "of bodies, in and out",
            rates("gateway_received_bytes", "worker", "in"),
            rates("gateway_sent_bytes", "worker", "out"),
        ),
        panel(
            "How old what it knows is",
            "s",
            "since the newest list it has read was published (grows while nothing happens), since "
            "the broker last answered, since its model changed",
            ("time() - upwell_gateway_newest_list_timestamp_seconds", "{{instance}} newest list"),
            ("upwell_gateway_broker_silent_seconds", "{{instance}} the broker"),
            (
                'time() - upwell_model_changed_timestamp_seconds{worker="gateway"}',
                "{{instance}} model",
            ),
        ),
        panel(
            "Held",
            "short",
            "users whose newest list is in memory",
            ("upwell_gateway_held_lists", "{{instance}} users"),
        ),
    ),
)
