"""Requests and replies between processes, by NVIDIA FLARE's cells: gRPC with or without TLS, a name
a process, reconnected by themselves.

It knows nothing about what bytes mean.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from upwell.errors import BrokerError, SettingsError

__all__ = ["NAME", "ClientCell", "ServerCell", "Tls", "load_flare"]

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""Of a client: what a cell may be called."""
SERVER = "server"
CHANNEL = "upwell"
_OK = "ok"
Handler = Callable[[str, bytes], bytes]


@dataclass(frozen=True, slots=True)
class Tls:
    """Files in PEM. With all three both sides show a certificate that `ca` signed, and a client's
    common name is its `--name`.
    """

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    @property
    def secure(self) -> bool:
        """Raises `SettingsError` where some are given and others not, or one is not there."""
        files = (self.ca, self.certificate, self.key)
        if not any(files):
            return False
        if not all(files):
            raise SettingsError("TLS takes all of --tls-ca, --tls-cert and --tls-key")
        for file in files:
            if file is not None and not file.is_file():
                raise SettingsError(f"there is no file {file} for TLS")
        return True

    def credentials(self, of: str) -> dict[str, Any]:
        """As cells take them; of: `server` or `client`."""
        if not self.secure:
            return {}
        return {
            "ca_cert": str(self.ca),
            f"{of}_cert": str(self.certificate),
            f"{of}_key": str(self.key),
            "connection_security": "mtls",
        }


def load_flare() -> Any:
    """The module of cells. Raises `SettingsError` where the package is missing."""
    try:
        from nvflare.fuel.f3.cellnet import core_cell
    except ImportError as exc:
        raise SettingsError(
            f"upwell federate needs {exc.name or 'nvflare'}: pip install 'upwell[federate]'"
        ) from exc
    for noisy in ("CoreCell", "nvflare"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    return core_cell


def _cell(flare: Any, name: str, address: str, tls: Tls, credentials: Mapping[str, Any]) -> Any:
    """Raises `SettingsError` where the files of TLS hold no certificate that `ca` signed."""
    from nvflare.fuel.f3.cellnet.cell_cipher import InvalidCertChain

    try:
        return flare.CoreCell(name, f"grpc://{address}", tls.secure, dict(credentials))
    except (InvalidCertChain, ValueError) as exc:
        if not tls.secure:
            raise
        raise SettingsError(f"TLS cannot begin with {tls.certificate}: {exc}") from exc


class ServerCell:
    """Answers requests on `address` (host:port); `left` is told the name of a client whose
    connection ended. Both are called from threads of the cell.
    """

    def __init__(
        self, address: str, tls: Tls, topics: Mapping[str, Handler], left: Callable[[str], None]
    ) -> None:
        self._flare = load_flare()
        self._cell = _cell(self._flare, SERVER, address, tls, tls.credentials("server"))
        for topic, handler in topics.items():
            self._cell.register_request_cb(CHANNEL, topic, self._answering(handler))
        self._cell.set_cell_disconnected_cb(lambda agent: left(agent.endpoint.name))
        self._cell.start()

    def _answering(self, handler: Handler) -> Callable[[Any], Any]:
        def answer(message: Any) -> Any:
            body = handler(str(message.get_header("cn__origin")), bytes(message.payload))
            return self._flare.make_reply(_OK, body=body)

        return answer

    def close(self) -> None:
        """No request is answered afterwards."""
        self._cell.stop()


class ClientCell:
    """Asks the server at `address` under `name`."""

    def __init__(self, address: str, name: str, tls: Tls) -> None:
        if not NAME.fullmatch(name) or name == SERVER:
            raise SettingsError(
                f"--name is {name!r}: 1 to 64 of A-Z, a-z, 0-9, _ and -, and not {SERVER!r}"
            )
        self.name = name
        self._address = address
        self._flare = load_flare()
        self._cell = _cell(self._flare, name, address, tls, tls.credentials("client"))
        self._cell.start()

    def ask(self, topic: str, body: bytes, timeout_s: float) -> bytes:
        """The reply. Raises `BrokerError` where none came in time."""
        message = self._flare.Message(payload=body)
        reply = self._cell.send_request(CHANNEL, topic, SERVER, message, timeout=timeout_s)
        code = reply.get_header("cn__return_code")
        if code != _OK:
            raise BrokerError(f"the federation's server at {self._address} does not answer: {code}")
        return bytes(reply.payload)

    def close(self) -> None:
        """Says goodbye."""
        self._cell.stop()
