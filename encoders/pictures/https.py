"""A picture by https, from named hosts alone, at public addresses alone, within a size and a time.

The name is resolved once, and what was checked is what is connected to, so that a name which
answers differently a moment later (DNS rebinding) leads nowhere. Redirects are refused. No proxy,
no cookie, no credential is sent.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from urllib.parse import SplitResult

from encoders.pictures.refused import RefusedError

__all__ = ["HttpsFetcher", "is_public", "resolved"]

PORT = 443
PIECE = 1 << 16
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
"""IPv6 that ends in an IPv4 address: behind a translator (NAT64) it leads there."""
_INSIDE = (ipaddress.IPv6Network("64:ff9b:1::/48"), ipaddress.IPv6Network("::/96"))


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet: not loopback, private, link-local, of
    carriers, documentation, multicast, nor an IPv6 one that leads to such an IPv4 one.
    """
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = [found.ipv4_mapped, found.sixtofour, *(found.teredo or ())]
        if found in _TRANSLATED:
            inner.append(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF))
        if any(one is not None and not _global(one) for one in inner):
            return False
        if any(found in network for network in _INSIDE):
            return False
        if found.ipv4_mapped is not None:
            return True
    return _global(found)


def _global(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return address.is_global and not address.is_multicast


def resolved(host: str, port: int) -> list[str]:
    """Every IP address of a name, in the system's order. Blocks. Raises `OSError`."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(where[0]) for *_, where in found))


class HttpsFetcher:
    """hosts: that may be asked, `name` or `name:port`. seconds: for all of one picture. resolve,
    allowed: of names and addresses. Safe to call from several threads.
    """

    def __init__(
        self,
        hosts: Iterable[str],
        seconds: float,
        *,
        context: ssl.SSLContext | None = None,
        resolve: Callable[[str, int], Sequence[str]] = resolved,
        allowed: Callable[[str], bool] = is_public,
    ) -> None:
        self._hosts = frozenset(map(_with_port, hosts))
        self._seconds = seconds
        self._context = context or ssl.create_default_context()
        self._resolve = resolve
        self._allowed = allowed

    def __call__(self, address: SplitResult, most_bytes: int) -> bytes:
        """The bytes of an answer 200. Raises `RefusedError`."""
        host, port = (address.hostname or "").lower(), address.port or PORT
        if address.username is not None or address.password is not None:
            raise RefusedError("host", "the address holds a user or a password")
        if f"{host}:{port}" not in self._hosts:
            raise RefusedError("host", f"UPWELL_IMAGE_HOSTS does not name {host[:80]}:{port}")
        until = time.monotonic() + self._seconds
        try:
            where = self._checked(host, port)
            return self._asked(address, where, until, most_bytes)
        except TimeoutError:
            raise self._late(host) from None
        except (OSError, http.client.HTTPException, ValueError) as exc:
            if time.monotonic() >= until:
                raise self._late(host) from None
            raise RefusedError("unreachable", f"{host}: {type(exc).__name__}") from None

    def _late(self, host: str) -> RefusedError:
        return RefusedError("timeout", f"{host} took more than {self._seconds:g} s")

    def _checked(self, host: str, port: int) -> tuple[str, int]:
        """One that leads inside is enough to refuse: nobody says which would be taken next time."""
        found = self._resolve(host, port)
        if not found or not all(map(self._allowed, found)):
            raise RefusedError("private_address", f"{host} is no address of the public internet")
        return found[0], port

    def _asked(
        self, address: SplitResult, where: tuple[str, int], until: float, most_bytes: int
    ) -> bytes:
        host, port = address.hostname or "", where[1]
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        with (
            socket.create_connection(where, left) as plain,
            self._context.wrap_socket(
                plain, server_hostname=host, do_handshake_on_connect=False
            ) as secured,
        ):
            end = threading.Timer(max(0.0, until - time.monotonic()), _ended, [secured])
            end.daemon = True
            end.start()  # a server that sends a byte a second is never late for one read
            try:
                secured.do_handshake()
                connection = http.client.HTTPSConnection(host, port)
                connection.sock = secured
                found = _answer(connection, address, most_bytes)
            finally:
                end.cancel()
        if time.monotonic() >= until:  # what was cut off looks like an end
            raise TimeoutError
        return found


def _ended(connection: ssl.SSLSocket) -> None:
    """Of the socket itself: a reader in another thread sees its end."""
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


def _answer(
    connection: http.client.HTTPSConnection, address: SplitResult, most_bytes: int
) -> bytes:
    target = (address.path or "/") + (f"?{address.query}" if address.query else "")
    headers = {"Accept": "image/*", "Accept-Encoding": "identity", "Connection": "close"}
    connection.request("GET", target, headers=headers)
    with connection.getresponse() as answer:
        if 300 <= answer.status < 400:
            raise RefusedError(
                "redirect", f"{address.hostname} sends elsewhere: name where it lies"
            )
        if answer.status != 200:
            raise RefusedError("status", f"{address.hostname} answered {answer.status}")
        return _body(answer, address.hostname or "", most_bytes)


def _body(answer: http.client.HTTPResponse, host: str, most_bytes: int) -> bytes:
    if (answer.length or 0) > most_bytes:
        raise _too_large(most_bytes)
    pieces, size = [], 0
    while piece := answer.read(PIECE):
        size += len(piece)
        if size > most_bytes:
            raise _too_large(most_bytes)
        pieces.append(piece)
    if answer.length:  # of what was announced so much did not come
        raise RefusedError("unreachable", f"{host} ended before the picture did")
    return b"".join(pieces)


def _too_large(most_bytes: int) -> RefusedError:
    return RefusedError(
        "too_large", f"it has more than the {most_bytes:,} bytes that UPWELL_IMAGE_BYTES allows"
    )


def _with_port(host: str) -> str:
    name = host.strip().lower()
    return name if name.rpartition(":")[2].isdigit() and ":" in name else f"{name}:{PORT}"
