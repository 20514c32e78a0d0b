"""A double of the Qdrant server over its real protocol: gRPC in front of qdrant-client's local
mode, one call at a time.

Several processes share it as they would share a server. It keeps all in memory, knows the calls
that `store.server` makes, and can be made slow or unavailable. What it does not show is Qdrant's
own durability and speed: `UPWELL_TEST_QDRANT_URL` names a real one.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from concurrent import futures
from typing import Any, TypeVar

import grpc  # type: ignore[import-untyped]
from qdrant_client import QdrantClient
from qdrant_client import grpc as wire
from qdrant_client.conversions.conversion import GrpcToRest, RestToGrpc

__all__ = ["QdrantDouble"]

T = TypeVar("T")

VERSION = "1.20.0"
THREADS = 8


class QdrantDouble(wire.PointsServicer, wire.CollectionsServicer, wire.QdrantServicer):
    """A context manager.

    port: of gRPC, free on loopback; the same after `go_away` and `come_back`. delay_seconds: before
    each call. refuse: so many calls fail before they act.
    """

    def __init__(self) -> None:
        self.delay_seconds = 0.0
        self.refuse = 0
        self._local = QdrantClient(":memory:")
        self._lock = threading.Lock()
        self._server, self.port = self._on(0)

    def __enter__(self) -> QdrantDouble:
        self._server.start()
        return self

    def go_away(self) -> None:
        """Nobody listens any more; what was stored stays."""
        self._server.stop(None).wait()

    def come_back(self) -> None:
        self._server, _ = self._on(self.port)
        self._server.start()

    def _on(self, port: int) -> tuple[Any, int]:
        server = grpc.server(futures.ThreadPoolExecutor(THREADS))
        for add in (
            wire.add_PointsServicer_to_server,
            wire.add_CollectionsServicer_to_server,
            wire.add_QdrantServicer_to_server,
        ):
            add(self, server)  # type: ignore[no-untyped-call]
        return server, server.add_insecure_port(f"127.0.0.1:{port}")

    def __exit__(self, *_: object) -> None:
        self._server.stop(None).wait()
        self._local.close()

    @property
    def url(self) -> str:
        """For settings; only its host is used, beside the port."""
        return "http://127.0.0.1:6333"

    def _do(self, context: Any, action: Callable[[], T]) -> T:
        if self.delay_seconds:
            threading.Event().wait(self.delay_seconds)
        with self._lock:
            if self.refuse:
                self.refuse -= 1
                context.abort(grpc.StatusCode.UNAVAILABLE, "told to refuse")
            with warnings.catch_warnings():
                warnings.simplefilter(
                    "ignore", UserWarning
                )  # local mode says on each call that it is not the real thing
                try:
                    return action()
                except Exception as exc:  # whatever local mode raises, the caller is to see
                    context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"{type(exc).__name__}: {exc}")
                    raise

    # ---- the server and its collections

    def HealthCheck(self, request: Any, context: Any) -> Any:
        return self._do(context, lambda: wire.HealthCheckReply(title="double", version=VERSION))

    def CollectionExists(self, request: Any, context: Any) -> Any:
        exists = self._do(context, lambda: self._local.collection_exists(request.collection_name))
        return wire.CollectionExistsResponse(result=wire.CollectionExists(exists=exists))

    def Create(self, request: Any, context: Any) -> Any:
        vectors = GrpcToRest.convert_vectors_config(request.vectors_config)
        made = self._do(
            context,
            lambda: self._local.create_collection(request.collection_name, vectors_config=vectors),
        )
        return wire.CollectionOperationResponse(result=made)

    def Get(self, request: Any, context: Any) -> Any:
        """Of a collection its parameters, of points themselves: the protocol has two calls of this
        name.
        """
        return (
            self._points(request, context)
            if isinstance(request, wire.GetPoints)
            else self._collection(request, context)
        )

    def Delete(self, request: Any, context: Any) -> Any:
        if isinstance(request, wire.DeletePoints):
            selector = GrpcToRest.convert_points_selector(request.points)
            self._do(context, lambda: self._local.delete(request.collection_name, selector))
            return self._done()
        return wire.CollectionOperationResponse(
            result=self._do(context, lambda: self._local.delete_collection(request.collection_name))
        )

    # ---- points

    def Upsert(self, request: Any, context: Any) -> Any:
        points = [GrpcToRest.convert_point_struct(point) for point in request.points]
        guard = (
            GrpcToRest.convert_filter(request.update_filter)
            if request.HasField("update_filter")
            else None
        )
        self._do(
            context,
            lambda: self._local.upsert(request.collection_name, points, update_filter=guard),
        )
        return self._done()

    def Count(self, request: Any, context: Any) -> Any:
        counted = self._do(context, lambda: self._local.count(request.collection_name))
        return wire.CountResponse(result=wire.CountResult(count=counted.count))

    def _points(self, request: Any, context: Any) -> Any:
        ids = [GrpcToRest.convert_point_id(one) for one in request.ids]
        payload = GrpcToRest.convert_with_payload_selector(request.with_payload)
        vectors = GrpcToRest.convert_with_vectors_selector(request.with_vectors)
        records = self._do(
            context,
            lambda: self._local.retrieve(
                request.collection_name, ids, with_payload=payload, with_vectors=vectors
            ),
        )
        return wire.GetResponse(result=[RestToGrpc.convert_record(record) for record in records])

    def _collection(self, request: Any, context: Any) -> Any:
        found = self._do(context, lambda: self._local.get_collection(request.collection_name))
        return wire.GetCollectionInfoResponse(result=RestToGrpc.convert_collection_info(found))

    def _done(self) -> Any:
        return wire.PointsOperationResponse(
            result=wire.UpdateResult(status=wire.UpdateStatus.Completed)
        )
