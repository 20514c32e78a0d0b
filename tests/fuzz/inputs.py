"""What nobody should send, for hypothesis: events changed by field and by byte, hostile JSON,
random bytes, logs cut short.
"""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from functools import cache
from itertools import islice
from pathlib import Path

import orjson
from hypothesis import strategies as st

from upwell.events import Topic, type_of_topic

__all__ = ["logs", "values"]

TS = 1_700_000_000_000
USER = {"event_id": "e1", "ts": TS, "user_id": "ann"}
GOOD: dict[Topic, list[dict[str, object]]] = {
    Topic.ITEMS: [
        {
            "item_id": "1",
            "ts": 828124615000,
            "title": "Toy Story (1995)",
            "categories": ["Adventure", "Animation"],
        },
        {
            "item_id": "ü/..",
            "ts": TS,
            "title": "T",
            "text": "words",
            "brand": "b",
            "price": 9.5,
            "image": "i",
            "group": "g",
            "deleted": False,
        },
    ],
    Topic.CLICKS: [
        USER | {"item_id": "1", "action": "click"},
        USER | {"item_id": "1", "action": "view", "dwell_ms": 5, "position": 0},
        USER | {"item_id": "1", "action": "play", "completion": 0.5},
        USER | {"item_id": "1", "action": "remove_from_list"},
    ],
    Topic.REVIEWS: [
        USER | {"item_id": "1", "rating": 4.5},
        USER | {"item_id": "1", "text": "fine, call +1 555 123 4567", "rating": 1},
    ],
    Topic.QUERIES: [USER | {"text": "a film about robots"}],
    Topic.IMPRESSIONS: [USER | {"list_id": "l", "item_ids": ["1", "2"], "propensities": [0.5, 1]}],
    Topic.REQUESTS: [
        USER
        | {"request_id": "r", "k": 5, "exclude": ["1"], "category": "Comedy", "surface": "kids"}
    ],
    Topic.CONTROLS: [
        {
            "event_id": "e1",
            "ts": TS,
            "kind": "forget_user",
            "by": "op",
            "why": "asked",
            "user_id": "ann",
        },
        {
            "event_id": "e1",
            "ts": TS,
            "kind": "boost_item",
            "by": "op",
            "why": "w",
            "item_id": "1",
            "boost": 1.5,
        },
    ],
    Topic.KNOWLEDGE: [
        {"ts": TS, "kind": "triple", "item_id": "1", "relation": "series", "value": "Alien"},
        {"ts": TS, "kind": "triple", "item_id": "1", "relation": "sequel", "object": "2"},
        {"ts": TS, "kind": "filter", "rule_id": "r", "category": "Comedy", "months": [6, 7]},
    ],
}
TOPICS = tuple(type_of_topic)
MOVIELENS = Path(__file__).parents[2] / "data" / "movielens" / "events.jsonl.gz"
REAL_LINES, EVERY = 20_000, 400
MILD: tuple[bytes, ...] = (
    b'"1"',
    b'"a b"',
    b"1",
    b"4.5",
    b'["1","2"]',
    b'"like"',
    b"true",
    b"0",
    str(TS).encode(),
    b'"\\u00fc\\ud83d\\ude00"',
    b"null",
)
"""Often right, of the wrong type at times."""
HOSTILE: tuple[bytes, ...] = (
    *(
        b"null",
        b"true",
        b"0",
        b"-1",
        b"-0",
        b"1.0",
        b"1e-400",
        b"1e400",
        b"-1e400",
        b"9" * 19,
        b"9" * 400,
        b"-" + b"9" * 5_000,
    ),
    *(
        b"18446744073709551615",
        b"9223372036854775808",
        b"1.7976931348623157e308",
        b"0." + b"0" * 5_000 + b"1",
        b"NaN",
        b"Infinity",
        b"0x1",
    ),
    *(
        b'""',
        b'" "',
        b'"\\ud800"',
        b'"\\udc00\\ud800"',
        b'"\xed\xa0\x80"',
        b'"\\u0000"',
        b'"\x00"',
        b'"\\u202e"',
        b'"\xff"',
        b'"a',
        b"'a'",
    ),
    *(
        b'"' + b"x" * 257 + b'"',
        b'"' + b"y" * 20_001 + b'"',
        b'"' + b"\\u0001" * 20_000 + b'"',
        b'"' + "𝕏".encode() * 256 + b'"',
    ),
    *(
        b"[]",
        b"{}",
        b"[[]]",
        b"[" * 900 + b"]" * 900,
        b"[" * 1_100 + b"]" * 1_100,
        b"[" * 5_000,
        b'{"a":' * 1_500 + b"1" + b"}" * 1_500,
    ),
    *(
        b'["1",' + b'"2",' * 10_000 + b'"3"]',
        b"[" + b"1," * 300 + b"1]",
        b'["a","\\ud800"]',
        b"[0.5,1e400]",
        b'{"user_id":"ann"}',
    ),
    *(
        b'"../../../etc/passwd"',
        b'"C:\\\\CON"',
        b'"${jndi:ldap://x}"',
        b"\"__import__('os')\"",
        b'"1; DROP TABLE"',
        b'"\\u001b]0;x\\u0007"',
    ),
    b'"' + b"z" * (1 << 20) + b'"',
)
BOUNDARIES = (
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\x00",
    b"\n",
    b"\r\n",
    b" ",
    b",",
    b"}",
    b"{",
    b'"',
    b"\\",
    b"\x1f\x8b",
)


@cache
def good() -> dict[Topic, list[dict[str, object]]]:
    """Good events of each topic, real ones among them."""
    found = {topic: list(events) for topic, events in GOOD.items()}
    with gzip.open(MOVIELENS) as log:
        for raw in islice(log, 0, REAL_LINES, EVERY):
            line = orjson.loads(raw)
            found[Topic(line["topic"])].append(line["value"])
    return found


def fields(topic: Topic) -> st.SearchStrategy[list[tuple[bytes, bytes]]]:
    """A good event of the topic as names and JSON texts."""
    return st.sampled_from(
        [
            [(orjson.dumps(name), orjson.dumps(value)) for name, value in one.items()]
            for one in good()[topic]
        ]
    )


@st.composite
def by_field(draw: st.DrawFn, topic: Topic) -> bytes:
    """Fields with other values, twice, gone, or under another name."""
    pairs = list(draw(fields(topic)))
    for _ in range(draw(st.integers(0, 3))):
        place, change = draw(st.integers(0, len(pairs) - 1)), draw(st.integers(0, 6))
        name, value = pairs[place]
        if change in (0, 5, 6):
            pairs[place] = (name, draw(st.sampled_from(MILD)))
        elif change == 1:
            pairs[place] = (name, draw(st.sampled_from(HOSTILE)))
        elif change == 2:
            pairs.append((name, draw(st.sampled_from(HOSTILE))))  # a key that is there twice
        elif change == 3 and len(pairs) > 1:
            del pairs[place]
        else:
            pairs[place] = (
                draw(
                    st.sampled_from(
                        (b'"\\u0000"', b'"__class__"', b'"' + b"n" * 300 + b'"', name.upper(), b"5")
                    )
                ),
                value,
            )
    return b"{" + b",".join(name + b":" + value for name, value in pairs) + b"}"


@st.composite
def by_byte(draw: st.DrawFn, given: st.SearchStrategy[bytes]) -> bytes:
    """Bytes of it replaced, taken out, put in, or all cut off at some place."""
    raw = draw(given)
    for _ in range(draw(st.integers(1, 3))):
        place, length = draw(st.integers(0, len(raw))), draw(st.integers(0, 8))
        put = draw(
            st.sampled_from(BOUNDARIES)
            | st.integers(0, 127).map(lambda one: bytes([one]))
            | st.binary(max_size=4)
        )
        raw = raw[:place] + put + (b"" if draw(st.integers(0, 7)) == 0 else raw[place + length :])
    return raw


def values() -> st.SearchStrategy[tuple[Topic, bytes]]:
    """A topic and the bytes of a record on it."""

    def on(topic: Topic) -> st.SearchStrategy[tuple[Topic, bytes]]:
        kinds = (
            by_field(topic)
            | by_field(topic)
            | by_field(topic)
            | by_byte(by_field(topic))
            | st.binary(max_size=60)
            | st.sampled_from(HOSTILE)
        )
        return st.tuples(st.just(topic), kinds)

    return st.sampled_from(TOPICS).flatmap(on)


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """One line of a log."""
    topic, value = draw(values())
    name = (
        orjson.dumps(draw(st.sampled_from([topic.value, "recommendations", "", "\x1b[2J"])))
        if draw(st.booleans())
        else b'"clicks"'
    )
    key = draw(st.sampled_from((b'"ann"', b"null", b"7", b'"\\ud800"', b'"' + b"k" * 3_000 + b'"')))
    whole = b'{"topic":' + name + b',"key":' + key + b',"value":' + value + b"}"
    return whole if draw(st.integers(0, 3)) else value


def _packed(content: bytes, cut: int, damaged: bool) -> bytes:
    packed = bytearray(gzip.compress(content, 1, mtime=0))
    if damaged:
        packed[cut % len(packed)] ^= 0x55
    return bytes(packed) if damaged else bytes(packed[: max(cut % (len(packed) + 1), 3)])


def logs() -> st.SearchStrategy[bytes]:
    """The bytes of a log file, plain or packed, whole or not."""

    def joined(parts: Sequence[bytes], end: bytes) -> bytes:
        return end.join(parts)

    plain = st.builds(
        joined,
        st.lists(lines(), min_size=1, max_size=4),
        st.sampled_from((b"\n", b"\r\n", b"\n\n")),
    )
    return (
        plain | by_byte(plain) | st.builds(_packed, plain, st.integers(0, 1 << 20), st.booleans())
    )
