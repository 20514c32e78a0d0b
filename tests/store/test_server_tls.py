"""The server store over TLS, with certificates made by the test; a key never leaves this machine in
the clear.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent import futures
from dataclasses import replace
from pathlib import Path

import grpc  # type: ignore[import-untyped]
import pytest
from qdrant_client import grpc as wire

from store.retry import Retry
from store.server import ServerCollection, ServerOptions, connect
from stream.broker.connect import open_settings_store
from tests.security.authority import Authority, make_authority
from tests.store.states import DIMENSION
from tests.store.test_server import Stub, collection, point
from upwell.errors import SettingsError, StoreError
from upwell.secret import Secret
from upwell.settings import Settings, StoreSettings

KEY = "hush-hush"
FAR = (
    "http://qdrant.internal:6333",
    "http://10.0.0.7:6333",
    "qdrant.internal:6333",
    "http://127.0.0.1.example.org",
    "HTTP://[2001:db8::1]",
)
NEAR = (
    "http://127.0.0.1",
    "http://localhost:6333",
    "http://[::1]:6333",
    "https://qdrant.internal:6333",
)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("qdrant") / "certificates")


@pytest.fixture
def stub() -> Stub:
    return Stub()


@pytest.fixture
def options(stub: Stub, authority: Authority) -> Iterator[ServerOptions]:
    server = grpc.server(futures.ThreadPoolExecutor(2))
    wire.add_PointsServicer_to_server(stub, server)  # type: ignore[no-untyped-call]
    wire.add_QdrantServicer_to_server(stub, server)  # type: ignore[no-untyped-call]
    pair = [(authority.key.read_bytes(), authority.certificate.read_bytes())]
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials(pair))
    server.start()
    yield ServerOptions("https://127.0.0.1", KEY, port, root_certificates=authority.ca.read_bytes())
    server.stop(None).wait()


def test_points_and_the_key_go_over_tls(options: ServerOptions, stub: Stub) -> None:
    client = connect(options)
    assert collection(client).upsert([point("a", 1)]) == set()
    client.close()
    assert len(stub.points) == 1
    assert stub.keys == {KEY}


def test_a_server_that_nobody_trusts_gets_nothing(options: ServerOptions, stub: Stub) -> None:
    client = connect(replace(options, root_certificates=None))
    users = ServerCollection(
        client, "users", replace_equal=False, where="the stub", retry=Retry(0.0)
    )
    with pytest.raises(StoreError, match="read of collection users at the stub failed") as error:
        users.upsert([point("a", 1)])
    client.close()
    assert KEY not in str(error.value)
    assert (stub.points, stub.keys) == ({}, set())


@pytest.mark.parametrize("url", FAR)
def test_a_key_is_not_sent_over_a_network_in_the_clear(url: str) -> None:
    with pytest.raises(
        StoreError, match=r"in the clear: give an https url \(UPWELL_QDRANT_URL\)"
    ) as error:
        connect(ServerOptions(url, KEY))
    assert KEY not in str(error.value)
    connect(ServerOptions(url)).close()  # without a key there is none to lose


@pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection:UserWarning")
@pytest.mark.parametrize("url", NEAR)
def test_a_key_may_go_over_tls_and_within_this_machine(url: str) -> None:
    client = connect(ServerOptions(url, KEY))
    client.close()
    assert client.init_options["api_key"] == KEY


def test_the_settings_reach_the_server(options: ServerOptions, tmp_path: Path) -> None:
    store = StoreSettings("server", "http://far.example.org:6333", Secret(KEY))
    with pytest.raises(StoreError, match=r"far\.example\.org:6334 in the clear"):
        open_settings_store(Settings(store=store), DIMENSION)
    missing = replace(store, url=options.url, cafile=str(tmp_path / "none.pem"))
    with pytest.raises(
        SettingsError,
        match=r"UPWELL_QDRANT_CAFILE is .*none\.pem: it cannot be read \(No such file",
    ):
        open_settings_store(Settings(store=missing), DIMENSION)
