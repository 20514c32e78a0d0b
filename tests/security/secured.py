"""A real Kafka with a TLS listener and a SASL_SSL listener beside the plain one, and the
certificates that it needs, made on the spot.
"""

from __future__ import annotations

import socket
from contextlib import ExitStack
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.admin import ScramMechanism, UserScramCredentialUpsertion

from infra.kafka import KafkaBroker
from infra.kafka_folder import TEMPLATE
from tests.security.authority import make_authority
from upwell.secret import Secret
from upwell.settings import KafkaSettings

__all__ = ["PASSWORD", "USER", "SecuredKafka"]

USER, PASSWORD = "upwell", "correct-horse-battery"
LISTENERS = """
listeners=CLIENT://127.0.0.1:{port},TLS://127.0.0.1:{tls},LOGIN://127.0.0.1:{login},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=CLIENT://127.0.0.1:{port},TLS://127.0.0.1:{tls},LOGIN://127.0.0.1:{login}
listener.security.protocol.map=CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT,TLS:SSL,LOGIN:SASL_SSL
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
listener.name.login.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256
listener.name.login.plain.sasl.jaas.config=\\
 org.apache.kafka.common.security.plain.PlainLoginModule required user_{user}="{password}";
listener.name.login.scram-sha-256.sasl.jaas.config=\\
 org.apache.kafka.common.security.scram.ScramLoginModule required;
"""


class SecuredKafka:
    """A context manager; `tls`, `login` and `plain` are settings that its listeners let in. more:
    lines of Kafka's own settings.
    """

    def __init__(self, folder: Path, more: str = "") -> None:
        self._more = more
        self.authority = make_authority(folder / "certificates")
        self._tls_port, self._login_port = _free_ports(2)
        self._broker = KafkaBroker(folder / "kafka", template=self._template(folder))

    def __enter__(self) -> SecuredKafka:
        self._broker.start()
        admin = KafkaAdminClient(bootstrap_servers=self._broker.address)
        admin.alter_user_scram_credentials(
            [UserScramCredentialUpsertion(USER, ScramMechanism.SCRAM_SHA_256, PASSWORD)]
        )
        admin.close()
        return self

    def __exit__(self, *_: object) -> None:
        self._broker.stop()

    def plain(self, prefix: str) -> KafkaSettings:
        return KafkaSettings(address=self._broker.address, prefix=prefix)

    def tls(self, prefix: str) -> KafkaSettings:
        address = f"127.0.0.1:{self._tls_port}"
        return KafkaSettings(
            address=address,
            prefix=prefix,
            security_protocol="SSL",
            ssl_cafile=str(self.authority.ca),
        )

    def login(
        self, prefix: str, mechanism: str = "SCRAM-SHA-256", password: str = PASSWORD
    ) -> KafkaSettings:
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
        keystore.write_bytes(
            self.authority.key.read_bytes()
            + self.authority.certificate.read_bytes()
            + self.authority.ca.read_bytes()
        )
        listeners = LISTENERS
        values = {
            "tls": self._tls_port,
            "login": self._login_port,
            "keystore": keystore,
            "user": USER,
            "password": PASSWORD,
        }
        for name, value in values.items():
            listeners = listeners.replace(f"{{{name}}}", str(value))
        template = folder / "server.properties"
        template.write_text(
            TEMPLATE.read_text() + listeners + self._more
        )  # of two lines for one name, Kafka takes the last
        return template


def _free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
