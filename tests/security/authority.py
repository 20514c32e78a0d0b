"""A private authority and a server's certificate for 127.0.0.1, made on the spot by openssl."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Authority", "make_authority"]


@dataclass(frozen=True, slots=True)
class Authority:
    """Files in PEM.

    ca: what clients trust. key, certificate: of a server on 127.0.0.1, signed by the authority.
    """

    ca: Path
    key: Path
    certificate: Path


def make_authority(folder: Path) -> Authority:
    """A private authority and one server certificate of it, both good for a day."""
    folder.mkdir(parents=True)
    extensions = folder / "server.ext"
    extensions.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=CA:FALSE\n")
    new = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    _openssl(
        folder,
        [
            *new,
            "-x509",
            "-days",
            "1",
            "-subj",
            "/CN=Test authority",
            "-keyout",
            "ca.key",
            "-out",
            "ca.pem",
        ],
    )
    _openssl(
        folder, [*new, "-subj", "/CN=127.0.0.1", "-keyout", "server.key", "-out", "server.csr"]
    )
    signed = [
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-days",
        "1",
        "-extfile",
        extensions.name,
    ]
    _openssl(folder, ["x509", "-req", "-in", "server.csr", *signed, "-out", "server.pem"])
    return Authority(folder / "ca.pem", folder / "server.key", folder / "server.pem")


def _openssl(folder: Path, arguments: Sequence[str]) -> None:
    subprocess.run(
        ["openssl", *arguments],  # noqa: S607 (from PATH, as Java is)
        cwd=folder,
        check=True,
        capture_output=True,
    )
