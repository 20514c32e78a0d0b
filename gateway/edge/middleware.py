"""The edge: what holds for every call before anybody looks at what it asks. Who calls, how often,
how large a body may be, the headers of every answer, and what is counted of it.

An ASGI application around the others. It logs nothing: paths name users, headers hold tokens.
"""

from __future__ import annotations

import math
import re
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.edge.auth import Gatekeeper, Role, is_loopback
from gateway.edge.limits import Buckets
from gateway.edge.meter import CALL, UNROUTED, Meter
from gateway.edge.refusals import REASON, Refused, refusal_response
from gateway.page import PAGE_PATHS

__all__ = ["CALLER", "OPEN_PATHS", "Edge"]

CALLER = "upwell.caller"
"""Where a call's scope holds its `Caller`."""
OPEN_PATHS = frozenset({"/healthz", "/readyz", "/openapi.json"}) | PAGE_PATHS
"""For whoever looks after the process, and the page itself: no token, no limit."""
_HOST = re.compile(r"[A-Za-z0-9._-]+(:\d{1,5})?|\[[0-9A-Fa-f:]+\](:\d{1,5})?")
_SECURITY = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)


@dataclass(frozen=True, slots=True)
class Edge:
    """body_bytes: of a request at most. origins: of pages that may call, beside our own."""

    app: ASGIApp
    keeper: Gatekeeper
    buckets: Buckets
    meter: Meter
    body_bytes: int
    origins: frozenset[str] = frozenset()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        guarded = self._watched(scope, send)
        try:
            if scope["path"] not in OPEN_PATHS:
                self._admit(scope)
            received = self._limited(scope, receive)
        except Refused as refused:
            await refusal_response(scope, refused)(scope, receive, guarded)
        else:
            await self.app(scope, received, guarded)

    def _admit(self, scope: Scope) -> None:
        """Raises `Refused` for who is nobody, and for who asks too often."""
        if self.keeper.open:
            self._keep_pages_out(scope)
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

    def _keep_pages_out(self, scope: Scope) -> None:
        """Where nobody needs a token, a page that somebody opened on this machine is nobody either:
        it sends its origin, and a name that was made to stand for this machine is not this
        machine's (DNS rebinding). Raises `Refused`.
        """
        host = (_header(scope, b"host") or b"").decode("latin-1")
        name = urlsplit(f"//{host}").hostname if _HOST.fullmatch(host) else None
        if name is None or not is_loopback(name):
            raise Refused(
                403, "foreign_host", "without tokens the gateway is called by this machine's name"
            )
        origin = _header(scope, b"origin")
        if origin is not None and origin.decode("latin-1") not in {f"http://{host}", *self.origins}:
            raise Refused(
                403,
                "foreign_origin",
                "this page's origin is not in UPWELL_GATEWAY_ORIGINS",
            )

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
            size = len(message.get("body", b""))
            self.meter.received += size
            left -= size
            if left < 0:
                raise self._too_large()
            return message

        return counted

    def _watched(self, scope: Scope, send: Send) -> Send:
        """With the security headers, and counted; how long it took, until the answer begins: live
        lists have no end.
        """
        began = time.perf_counter()

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                held = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(one for one in _SECURITY if one[0] not in held),
                ]
                took = time.perf_counter() - began
                call, reason = scope.get(CALL, UNROUTED), scope.get(REASON)
                self.meter.answered(call, message["status"], reason, took)
            self.meter.sent += len(message.get("body", b""))
            await send(message)

        return watched

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
