"""Who calls: nobody, an app or an operator, told by a bearer token in constant time.

Without any token set everybody is an operator, and then the gateway listens on this machine alone.
"""

from __future__ import annotations

import ipaddress
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


class Role(IntEnum):
    """What a caller may do: each also what those below it may."""

    NOBODY = 0
    APP = 1
    OPERATOR = 2


@dataclass(frozen=True, slots=True)
class Caller:
    """name: of the rate limit, by which no token can be found."""

    role: Role
    name: bytes


class Gatekeeper:
    """Of the settings. Raises `SettingsError` where a token is too short to keep anybody out."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._known = [
            (_digest(token.encode()), role)
            for variable, secret, role in (
                ("UPWELL_GATEWAY_APP_TOKEN", settings.app_token, Role.APP),
                ("UPWELL_GATEWAY_OPERATOR_TOKEN", settings.operator_token, Role.OPERATOR),
            )
            for token in _tokens(variable, secret)
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
        role = Role.NOBODY
        for known, its_role in self._known:  # all of them: the time says nothing of which it was
            if compare_digest(known, given):
                role = max(role, its_role)
        return Caller(role, given if role else address.encode())


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


def _tokens(variable: str, secret: Secret | None) -> list[str]:
    if secret is None:
        return []
    tokens = [one.strip() for one in secret.reveal().split(",")]
    if any(len(one) < LEAST_CHARACTERS or not one.isascii() for one in tokens):
        raise SettingsError(
            f"{variable} is not right: must be {LEAST_CHARACTERS} ASCII characters or more, "
            "several tokens with commas"
        )
    return tokens
