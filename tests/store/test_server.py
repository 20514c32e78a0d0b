"""What only the server store has: the wire (against a gRPC stub), lost answers, other writers,
collections that do not fit.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent import futures
from typing import Any

import grpc  # type: ignore[import-untyped]
import pytest
from qdrant_client import QdrantClient, models
from qdrant_client import grpc as wire

from store.codec import decode_user, encode_user
from store.retry import Retry
from store.schema import Point
from store.server import ServerCollection, ServerOptions, connect, open_server
from tests.store.adapters import LOCAL_MODE_WARNINGS
from tests.store.states import DIMENSION, same_state, state
from upwell.errors import StoreError

pytestmark = LOCAL_MODE_WARNINGS

NO_PAUSES = Retry(2.5, sleep=lambda seconds: None, clock=itertools.count().__next__)


class Stub(wire.PointsServicer, wire.QdrantServicer):
    """Just enough of a server: points in a dictionary, upserts under their condition, faults when
    asked for.
    """

    def __init__(self) -> None:
        self.points: dict[str, Any] = {}
        self.upserts: list[Any] = []
        self.keys: set[str] = set()
        self.version = "1.20.0"
        self.refuse = 0  # calls to fail before they did anything
        self.lose = 0  # upserts to apply, whose answer is lost

    def Upsert(self, request: Any, context: Any) -> Any:
        self._fail(context)
        self.upserts.append(request)
        for point in request.points:
            if point.id.uuid not in self.points or self._holds(
                request.update_filter, point.id.uuid
            ):
                self.points[point.id.uuid] = point
        if self.lose:
            self.lose -= 1
            context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "too slow")
        return wire.PointsOperationResponse(
            result=wire.UpdateResult(status=wire.UpdateStatus.Completed)
        )

    def Get(self, request: Any, context: Any) -> Any:
        self._fail(context)
        found = [self.points[each.uuid] for each in request.ids if each.uuid in self.points]
        answer = wire.GetResponse()
        for point in found:
            vector = wire.VectorOutput(dense=point.vectors.vector.dense)
            answer.result.add(
                id=point.id, payload=point.payload, vectors=wire.VectorsOutput(vector=vector)
            )
        return answer

    def HealthCheck(self, request: Any, context: Any) -> Any:
        self._fail(context)
        return wire.HealthCheckReply(title="stub", version=self.version)

    def _fail(self, context: Any) -> None:
        self.keys |= {value for key, value in context.invocation_metadata() if key == "api-key"}
        if self.refuse:
            self.refuse -= 1
            context.abort(grpc.StatusCode.UNAVAILABLE, "try again")

    def _holds(self, guard: Any, point_id: str) -> bool:
        stored = self.points[point_id].payload["sequence"].integer_value
        for condition in guard.should:
            mine, below = condition.filter.must
            if [each.uuid for each in mine.has_id.has_id] == [point_id]:
                assert below.field.key == "sequence"
                return bool(stored < below.field.range.lt)
        return False


@pytest.fixture
def stub() -> Stub:
    return Stub()


@pytest.fixture
def port(stub: Stub) -> Iterator[int]:
    server = grpc.server(futures.ThreadPoolExecutor(2))
    wire.add_PointsServicer_to_server(stub, server)  # type: ignore[no-untyped-call]
    wire.add_QdrantServicer_to_server(stub, server)  # type: ignore[no-untyped-call]
    chosen: int = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield chosen
    server.stop(None).wait()


@pytest.fixture
def users(port: int) -> Iterator[ServerCollection]:
    client = connect(ServerOptions(url="http://127.0.0.1:6333", grpc_port=port))
    yield collection(client)
    client.close()


@pytest.fixture
def local() -> Iterator[QdrantClient]:
    client = QdrantClient(":memory:")
    yield client
    client.close()


def collection(client: QdrantClient, name: str = "users") -> ServerCollection:
    return ServerCollection(client, name, replace_equal=False, where="the stub", retry=NO_PAUSES)


def point(user: str, sequence: int, *had: str) -> Point:
    return encode_user(state(user, sequence, had=had), DIMENSION)


def test_points_cross_the_wire_whole(users: ServerCollection, stub: Stub) -> None:
    assert users.upsert([point("ü", 1), point("b", 2)]) == set()
    (found,) = users.fetch([point("ü", 1).id])
    assert same_state(decode_user(*found), state("ü", 1))
    assert [request.wait for request in stub.upserts] == [True]


def test_stale_points_are_refused_over_the_wire(users: ServerCollection) -> None:
    users.upsert([point("a", 5)])
    assert users.upsert([point("a", 5, "stale"), point("b", 1)]) == {point("a", 5).id}
    (found,) = users.fetch([point("a", 5).id])
    assert same_state(decode_user(*found), state("a", 5))


def test_large_batches_are_cut(users: ServerCollection, stub: Stub) -> None:
    assert users.upsert([point(f"user-{number}", 1) for number in range(300)]) == set()
    assert [len(request.points) for request in stub.upserts] == [128, 128, 44]
    assert len(users.fetch([point(f"user-{number}", 1).id for number in range(300)])) == 300


def test_a_passing_fault_is_waited_for(users: ServerCollection, stub: Stub) -> None:
    stub.refuse = 2
    assert users.upsert([point("a", 1)]) == set()
    assert len(stub.points) == 1


def test_a_lost_answer_is_not_taken_for_a_stale_write(users: ServerCollection, stub: Stub) -> None:
    stub.lose = 1
    assert users.upsert([point("a", 1)]) == set()
    assert len(stub.upserts) == 2


def test_a_lasting_fault_is_a_store_error(users: ServerCollection, stub: Stub) -> None:
    stub.refuse = 3
    with pytest.raises(
        StoreError, match=r"read of collection users at the stub failed \(UNAVAILABLE: try again\)"
    ):
        users.fetch([point("a", 1).id])
    assert users.fetch([point("a", 1).id]) == []


@pytest.mark.parametrize("sequence", [5, 6])
def test_a_writer_that_comes_between_is_not_overwritten(local: QdrantClient, sequence: int) -> None:
    """Between the look at the stored sequences and the write, another worker writes the same or a
    later state.
    """
    mine, other = collection(local), collection(local)
    mine.ensure(DIMENSION)
    upsert = local.upsert

    def come_between(*arguments: Any, **options: Any) -> Any:
        local.upsert = upsert  # type: ignore[method-assign]
        assert other.upsert([point("a", sequence, "other")]) == set()
        return upsert(*arguments, **options)

    local.upsert = come_between  # type: ignore[method-assign]
    assert mine.upsert([point("a", 5, "mine"), point("b", 1)]) == {point("a", 5).id}
    (found,) = other.fetch([point("a", 5).id])
    assert same_state(decode_user(*found), state("a", sequence, had=("other",)))
    assert len(other.fetch([point("b", 1).id])) == 1


def test_an_old_server_is_refused(port: int, stub: Stub) -> None:
    stub.version = "1.15.4"
    with pytest.raises(StoreError, match=r"is 1\.15\.4: stale writes"):
        open_server(connect(ServerOptions(url="http://127.0.0.1", grpc_port=port)), DIMENSION)


@pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection:UserWarning")
def test_the_key_is_sent_and_never_shown(port: int, stub: Stub) -> None:
    options = ServerOptions(
        url="http://someone:secret-password@127.0.0.1", api_key="secret-key", grpc_port=port
    )
    assert "secret-key" not in repr(options)
    assert options.address == f"127.0.0.1:{port}"
    stub.refuse = 3
    with pytest.raises(StoreError) as caught:
        open_server(connect(options), DIMENSION, where=options.address, retry=NO_PAUSES)
    assert stub.keys == {"secret-key"}
    assert "secret" not in str(caught.value)


def test_no_server_is_a_store_error() -> None:
    options = ServerOptions(url="http://127.0.0.1", grpc_port=1)  # nobody listens
    with pytest.raises(
        StoreError, match=r"greeting of the Qdrant server at 127\.0\.0\.1:1 failed \(UNAVAILABLE"
    ):
        open_server(connect(options), DIMENSION, where=options.address, retry=NO_PAUSES)


@pytest.mark.parametrize("url", ["ftp://host", "http://host:port"])
def test_no_url(url: str) -> None:
    with pytest.raises(StoreError, match="give one like http://localhost:6333"):
        connect(ServerOptions(url=url))


def test_other_collections_are_refused(local: QdrantClient) -> None:
    collection(local).ensure(DIMENSION)
    collection(local).ensure(DIMENSION)
    with pytest.raises(StoreError, match="4 dimensions, but the encoder gives 8"):
        collection(local).ensure(8)
    local.create_collection(
        "theirs",
        vectors_config=models.VectorParams(size=DIMENSION, distance=models.Distance.COSINE),
    )
    with pytest.raises(StoreError, match="was not made by Upwell"):
        collection(local, "theirs").ensure(DIMENSION)


def test_the_collections_are_made_as_decided(local: QdrantClient) -> None:
    made: dict[str, dict[str, Any]] = {}
    create = local.create_collection

    def watch(name: str, **options: Any) -> bool:
        made[name] = options
        return create(name, **options)

    local.create_collection = watch  # type: ignore[assignment, method-assign]
    open_server(local, DIMENSION, prefix="p")
    assert {options["hnsw_config"].m for options in made.values()} == {0}
    assert all("quantization_config" not in options for options in made.values())
    assert {options["vectors_config"].distance for options in made.values()} == {
        models.Distance.DOT
    }
