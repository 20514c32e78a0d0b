"""What the gateway can be told: where it listens, whom it lets in, and how much it holds."""

from __future__ import annotations

from dataclasses import dataclass

from upwell.secret import Secret
from upwell.settings.values import setting

__all__ = ["GatewaySettings"]


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """Lists, events and health over HTTP (docs/gateway.md)."""

    host: str = setting(
        "127.0.0.1",
        "where the gateway listens; on any but this machine's own only with a token",
        "operator",
        "address",
        variable="GATEWAY_HOST",
    )
    port: int = setting(
        8080,
        "where the gateway listens; 0 is any that is free",
        "operator",
        "port",
        variable="GATEWAY_PORT",
        above=0,
        below=65_535,
    )
    app_token: Secret | None = setting(
        None,
        "lets an app in: events, lists; of 16 characters or more, several with commas, each with a "
        "name before a colon if it is to have one",
        "operator",
        variable="GATEWAY_APP_TOKEN",
    )
    operator_token: Secret | None = setting(
        None,
        "lets an operator in: the same, and to forget users, govern items, go back to a version; "
        "under a token's name an operator's words are kept",
        "operator",
        variable="GATEWAY_OPERATOR_TOKEN",
    )
    origins: str | None = setting(
        None,
        "web pages of other origins that may call the gateway; unset, none",
        "operator",
        "https://host, several with commas",
        variable="GATEWAY_ORIGINS",
    )
    rate: float = setting(
        2_000.0,
        "from one token, or from one address without one; 0 is off",
        "operator",
        "requests a second",
        variable="GATEWAY_RATE",
        above=0.0,
    )
    body_bytes: int = setting(
        4 << 20,
        "in a request's body at most",
        "operator",
        "bytes",
        variable="GATEWAY_BODY_BYTES",
        above=1_024,
        below=16 << 20,
    )
    in_flight: int = setting(
        10_000,
        "sent to Kafka and not acknowledged yet, at most; more are answered 429",
        "operator",
        "events",
        variable="GATEWAY_IN_FLIGHT",
        above=1,
    )
    users: int = setting(
        50_000,
        "whose newest list is held in memory, about 7 kB each: those whose list came last",
        "operator",
        "users",
        variable="GATEWAY_USERS",
        above=1,
    )
    streams: int = setting(
        1_000,
        "of live lists that are open at once",
        "operator",
        "connections",
        variable="GATEWAY_STREAMS",
        above=0,
    )
