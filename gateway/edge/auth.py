"""Who calls: nobody, an app or an operator, told by a bearer token in constant time.

A token may have a name, `NAME:TOKEN`, under which an operator's words are kept. Without any token
set everybody is an operator, and then the gateway listens on this machine alone.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from hmac import compare_digest

from upwell.errors import SettingsError
from upwell.secret import Secret
from upwell.settings import GatewaySettings

__all__ = ["Caller", "Gatekeeper", "Role", "check_listening", "is_loopback"]

LEAST_CHARACTERS = 16
_BEARER = b"bearer "
_NAMED = re.compile(r"([A-Za-z][A-Za-z0-9._-]{0,63}):(.+)")


class Role(IntEnum):
    """What a caller may do: each also what those below it may."""

    NOBODY = 0
    APP = 1
    OPERATOR = 2


@dataclass(frozen=True, slots=True)
class Caller:
    """name: of the rate limit, by which no token can be found. who: the token's name, None where it
    has none.
    """

    role: Role
    name: bytes
    who: str | None = None


class Gatekeeper:
    """Of the settings. Raises `SettingsError` where a token is too short to keep anybody out."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._known = [
            (_digest(token.encode()), Caller(role, _digest(token.encode()), who))
            for variable, secret, role in (
                ("UPWELL_GATEWAY_APP_TOKEN", settings.app_token, Role.APP),
                ("UPWELL_GATEWAY_OPERATOR_TOKEN", settings.operator_token, Role.OPERATOR),
            )
            for who, token in _tokens(variable, secret)
        ]

    @property
    def open(self) -> bool:
        """Whether everybody is let in, as an operator."""
        return not self._known

    def caller(self, authorization: bytes | None, address: str) -> Caller:
        """authorization: the header as it came. address: where the call comes from."""
        if self.open:
            return Caller(Role.OPERATOR, address.encode())
        if authorization is None or authorization[: len(_BEARER)].lower() != _BEARER:
            return Caller(Role.NOBODY, address.encode())
        given = _digest(authorization[len(_BEARER) :].strip())
        found = Caller(Role.NOBODY, address.encode())
        for known, caller in self._known:  # all of them: the time says nothing of which it was
            if compare_digest(known, given) and caller.role > found.role:
                found = caller
        return found


def check_listening(host: str, keeper: Gatekeeper) -> None:
    """Raises `SettingsError` where others than this machine could call and nothing keeps them
    out.
    """
    if keeper.open and not is_loopback(host):
        raise SettingsError(
            f"the gateway is to listen on {host}, where other machines reach it, and no token is "
            "set: set UPWELL_GATEWAY_APP_TOKEN and UPWELL_GATEWAY_OPERATOR_TOKEN, or "
            "UPWELL_GATEWAY_HOST to 127.0.0.1"
        )


def is_loopback(host: str) -> bool:
    """Whether a name or an address stands for this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name may stand for any address
        return False


def _digest(token: bytes) -> bytes:
    return sha256(token).digest()


def _tokens(variable: str, secret: Secret | None) -> list[tuple[str | None, str]]:
    """Each with its name, None where it has none. Of one with a name the whole is a token too: it
    was one before tokens had names.
    """
    if secret is None:
        return []
    tokens = [one.strip() for one in secret.reveal().split(",")]
    if any(len(one) < LEAST_CHARACTERS or not one.isascii() for one in tokens):
        raise SettingsError(
            f"{variable} is not right: must be {LEAST_CHARACTERS} ASCII characters or more, "
            "several tokens with commas"
        )
    named = [match for match in map(_NAMED.fullmatch, tokens) if match is not None]
    return [(None, token) for token in tokens] + [
        (match[1], match[2]) for match in named if len(match[2]) >= LEAST_CHARACTERS
    ]
