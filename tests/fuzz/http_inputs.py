"""Requests that nobody should send, for hypothesis: the bytes of one, as they go over the wire."""

from __future__ import annotations

from typing import TypeVar
from urllib.parse import quote, quote_from_bytes

import orjson
from hypothesis import strategies as st

from tests.fuzz.inputs import values
from tests.gateway.served import APP, OPERATOR
from tests.upwell.strategies import events
from upwell.schema import event_value, topic_of

__all__ = ["requests"]

T = TypeVar("T")

CALLS = (
    *((b"POST", "/v1/events"),) * 4,
    (b"GET", "/v1/users/{}/list"),
    (b"POST", "/v1/users/{}/lists"),
    (b"GET", "/v1/users/{}/events"),
    (b"DELETE", "/v1/users/{}"),
    (b"GET", "/v1/items/{}/similar"),
    (b"POST", "/v1/items/{}/controls"),
    (b"GET", "/v1/controls"),
    (b"GET", "/v1/versions"),
    (b"POST", "/v1/versions/{}/rollback"),
    (b"GET", "/v1/caller"),
    (b"GET", "/v1/popular"),
    (b"GET", "/v1/newest"),
    (b"GET", "/healthz"),
    (b"GET", "/readyz"),
    (b"GET", "/openapi.json"),
)
PARAMETERS = ("k", "category", "surface", "request", "timeout", "why", "by", "token")


def _mostly(usual: st.SearchStrategy[T], other: st.SearchStrategy[T]) -> st.SearchStrategy[T]:
    return st.integers(0, 9).flatmap(lambda drawn: other if drawn == 9 else usual)


_plain = st.characters(codec="ascii", exclude_categories=["Cc"])
_ids = (
    st.sampled_from(["ann", "i1", "a%2Fb", "..", "%00", "%FF", "%", "list", "a" * 300, "%E2%80%A8"])
    | st.text(max_size=8).map(lambda text: quote(text, safe="", errors="replace"))
    | st.binary(max_size=6).map(quote_from_bytes)
)
_values = (
    st.sampled_from(["", "1", "100", "200", "true", "maybe", "nan", "1e9", "0", "-1", "9" * 400])
    | st.text(max_size=6).map(lambda text: quote(text, safe="", errors="replace"))
    | st.text(_plain, max_size=6)
)
_queries = st.lists(st.tuples(st.sampled_from(PARAMETERS), _values), max_size=3).map(
    lambda pairs: ("?" if pairs else "") + "&".join(f"{name}={value}" for name, value in pairs)
)
_targets = _mostly(
    st.builds(
        lambda call, name, query: (
            call[0],
            (call[1].format(name) + query).replace(" ", "+").encode(),
        ),
        st.sampled_from(CALLS),
        _ids,
        _queries,
    ),
    st.tuples(
        st.sampled_from([b"GET", b"POST", b"PUT", b"HEAD", b"OPTIONS", b"X"]),
        st.binary(max_size=20).map(lambda raw: b"/" + raw.translate(None, b" \r\n\t")),
    ),
)
_tokens = _mostly(
    st.sampled_from([f"Bearer {APP}".encode(), f"Bearer {OPERATOR}".encode()]),
    st.text(_plain, max_size=30).map(lambda text: b"Bearer " + text.encode())
    | st.binary(max_size=20).map(lambda raw: b"Bearer " + raw.translate(None, b"\r\n\0")),
)
_media = st.sampled_from(
    [
        b"application/json",
        b"application/x-ndjson",
        b"application/x-ndjson;x",
        b"text/plain",
        b"\xff",
    ]
)
_json = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 300) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["k", "category", "exclude", "surface", "topic", "x", "kind", "why", "by", "boost"]
            ),
            inner,
        )
    ),
    max_leaves=5,
).map(orjson.dumps)


def _with_topic(pair: tuple[object, bytes]) -> bytes:
    """Hostile bytes of an event as they would stand in a body; mostly one object."""
    topic, raw = pair
    name = str(topic).encode()
    return raw.replace(b"{", b'{"topic":"' + name + b'",', 1) if raw.startswith(b"{") else raw


_good = events().map(
    lambda event: orjson.dumps({**event_value(event), "topic": str(topic_of(event))})
)
_events = _mostly(_good, values().map(_with_topic))
_bodies = (
    st.just(b"")
    | _json
    | _events
    | values().map(_with_topic)
    | st.lists(_events, max_size=4).map(b"\n".join)
    | st.lists(_events, max_size=3).map(lambda some: b"[" + b",".join(some) + b"]")
    | st.binary(max_size=30)
)


def _lines(
    target: tuple[bytes, bytes], token: bytes, media: bytes, body: bytes, framing: str
) -> bytes:
    head = [
        b" ".join(target) + b" HTTP/1.1",
        b"Host: x",
        b"Connection: close",
        b"Authorization: " + token,
        b"Content-Type: " + media,
    ]
    if framing == "chunked":
        head.append(b"Transfer-Encoding: chunked")
        body = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n" if body else b"0\r\n\r\n"
    elif framing == "short":  # less comes than is said
        head.append(f"Content-Length: {len(body) + 3}".encode())
    elif framing == "huge":
        head.append(b"Content-Length: " + b"9" * 18)
    else:
        head.append(f"Content-Length: {len(body)}".encode())
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def requests() -> st.SearchStrategy[bytes]:
    """One request's bytes; most of them are HTTP."""
    framing = st.sampled_from(["plain"] * 12 + ["chunked", "chunked", "short", "huge"])
    whole = st.builds(_lines, _targets, _tokens, _media, _bodies, framing)
    return _mostly(whole, st.binary(min_size=1, max_size=60))
