"""The edge: what holds for every call before anybody looks at what it asks. Who calls, how often,
how large a body may be, and the headers of every answer.

An ASGI application around the others. It logs nothing: paths name users, headers hold tokens.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.auth import Gatekeeper, Role
from gateway.limits import Buckets
from gateway.refusals import Refused, refusal_response

__all__ = ["CALLER", "OPEN_PATHS", "Edge"]

CALLER = "upwell.caller"
"""Where a call's scope holds its `Caller`."""
OPEN_PATHS = frozenset({"/healthz", "/readyz", "/openapi.json"})
"""For whoever looks after the process: no token, no limit."""
_SECURITY = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)


@dataclass(frozen=True, slots=True)
class Edge:
    """body_bytes: of a request at most."""

    app: ASGIApp
    keeper: Gatekeeper
    buckets: Buckets
    body_bytes: int

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        guarded = _secured(send)
        try:
            if scope["path"] not in OPEN_PATHS:
                self._admit(scope)
            received = self._limited(scope, receive)
        except Refused as refused:
            await refusal_response(refused)(scope, receive, guarded)
        else:
            await self.app(scope, received, guarded)

    def _admit(self, scope: Scope) -> None:
        """Raises `Refused` for who is nobody, and for who asks too often."""
        authorization = _header(scope, b"authorization")
        address = scope["client"][0] if scope.get("client") else ""
        caller = self.keeper.caller(authorization, address)
        wait = self.buckets.take(caller.name)
        if wait:
            raise Refused(
                429,
                "too_many_requests",
                "more requests than UPWELL_GATEWAY_RATE allows: ask more slowly",
                headers={"Retry-After": str(math.ceil(wait))},
            )
        if caller.role is Role.NOBODY:
            raise Refused(
                401,
                "unauthorized",
                "a token is needed that the gateway knows: Authorization: Bearer …",
                headers={"WWW-Authenticate": "Bearer"},
            )
        scope[CALLER] = caller

    def _limited(self, scope: Scope, receive: Receive) -> Receive:
        """Raises `Refused` for a body that says it is too large; one that does not say so is cut
        off by the same refusal, raised where it is read.
        """
        said = _header(scope, b"content-length")
        if said is not None and said.isdigit() and int(said[:20]) > self.body_bytes:
            raise self._too_large()
        left = self.body_bytes

        async def counted() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise self._too_large()
            return message

        return counted

    def _too_large(self) -> Refused:
        return Refused(
            413,
            "too_large",
            f"the body has more than {self.body_bytes:,} bytes (UPWELL_GATEWAY_BODY_BYTES): send "
            "several",
            headers={"Connection": "close"},
        )


def _header(scope: Scope, name: bytes) -> bytes | None:
    for one, value in scope["headers"]:
        if one == name:
            return bytes(value)
    return None


def _secured(send: Send) -> Send:
    async def secured(message: Message) -> None:
        if message["type"] == "http.response.start":
            held = {name.lower() for name, _ in message["headers"]}
            message["headers"] = [
                *message["headers"],
                *(one for one in _SECURITY if one[0] not in held),
            ]
        await send(message)

    return secured
