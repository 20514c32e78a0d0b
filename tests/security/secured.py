"""A real Kafka with a TLS listener and a SASL_SSL listener beside the plain one, and the certificates that it needs, made on the spot."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.admin import ScramMechanism, UserScramCredentialUpsertion

from infra.kafka import KafkaBroker
from infra.kafka_folder import TEMPLATE
from upwell.secret import Secret
from upwell.settings import KafkaSettings

__all__ = ["PASSWORD", "USER", "Authority", "SecuredKafka", "make_authority"]

USER, PASSWORD = "upwell", "correct-horse-battery"
LISTENERS = """
listeners=CLIENT://127.0.0.1:{port},TLS://127.0.0.1:{tls},LOGIN://127.0.0.1:{login},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=CLIENT://127.0.0.1:{port},TLS://127.0.0.1:{tls},LOGIN://127.0.0.1:{login}
listener.security.protocol.map=CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT,TLS:SSL,LOGIN:SASL_SSL
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
listener.name.login.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256
listener.name.login.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_{user}="{password}";
listener.name.login.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
"""


@dataclass(frozen=True, slots=True)
class Authority:
    """Files in PEM. ca: what clients trust. key, certificate: of a server on 127.0.0.1, signed by the authority."""

    ca: Path
    key: Path
    certificate: Path


def make_authority(folder: Path) -> Authority:
    """A private authority and one server certificate of it, both good for a day."""
    folder.mkdir(parents=True)
    extensions = folder / "server.ext"
    extensions.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=CA:FALSE\n")
    new = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    _openssl(folder, [*new, "-x509", "-days", "1", "-subj", "/CN=Test authority", "-keyout", "ca.key", "-out", "ca.pem"])
    _openssl(folder, [*new, "-subj", "/CN=127.0.0.1", "-keyout", "server.key", "-out", "server.csr"])
    signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "1", "-extfile", extensions.name]
    _openssl(folder, ["x509", "-req", "-in", "server.csr", *signed, "-out", "server.pem"])
    return Authority(folder / "ca.pem", folder / "server.key", folder / "server.pem")


class SecuredKafka:
    """A context manager; `tls`, `login` and `plain` are settings that its listeners let in."""

    def __init__(self, folder: Path) -> None:
        self.authority = make_authority(folder / "certificates")
        self._tls_port, self._login_port = _free_ports(2)
        self._broker = KafkaBroker(folder / "kafka", template=self._template(folder))

    def __enter__(self) -> SecuredKafka:
        self._broker.start()
        admin = KafkaAdminClient(bootstrap_servers=self._broker.address)
        admin.alter_user_scram_credentials([UserScramCredentialUpsertion(USER, ScramMechanism.SCRAM_SHA_256, PASSWORD)])
        admin.close()
        return self

    def __exit__(self, *_: object) -> None:
        self._broker.stop()

    def plain(self, prefix: str) -> KafkaSettings:
        return KafkaSettings(address=self._broker.address, prefix=prefix)

    def tls(self, prefix: str) -> KafkaSettings:
        address = f"127.0.0.1:{self._tls_port}"
        return KafkaSettings(address=address, prefix=prefix, security_protocol="SSL", ssl_cafile=str(self.authority.ca))

    def login(self, prefix: str, mechanism: str = "SCRAM-SHA-256", password: str = PASSWORD) -> KafkaSettings:
        return KafkaSettings(
            address=f"127.0.0.1:{self._login_port}",
            prefix=prefix,
            security_protocol="SASL_SSL",
            sasl_mechanism=mechanism,  # type: ignore[arg-type]
            sasl_username=USER,
            sasl_password=Secret(password),
            ssl_cafile=str(self.authority.ca),
        )

    def _template(self, folder: Path) -> Path:
        keystore = folder / "certificates" / "keystore.pem"
        keystore.write_bytes(self.authority.key.read_bytes() + self.authority.certificate.read_bytes() + self.authority.ca.read_bytes())
        listeners = LISTENERS
        values = {"tls": self._tls_port, "login": self._login_port, "keystore": keystore, "user": USER, "password": PASSWORD}
        for name, value in values.items():
            listeners = listeners.replace(f"{{{name}}}", str(value))
        template = folder / "server.properties"
        template.write_text(TEMPLATE.read_text() + listeners)  # of two lines for one name, Kafka takes the last
        return template


def _openssl(folder: Path, arguments: Sequence[str]) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def _free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
