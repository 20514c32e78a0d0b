"""What must hold of any input: it is an event or a dead letter, a record or a bad line, and no
exception. Counts which.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from stream.broker.topics import MAX_DERIVED_BYTES
from stream.chain.records import Record, decode_records
from stream.chain.validate import decode
from stream.chain.wire import encode_rerouted
from stream.replay.log import LogRecord, read_log
from upwell.codec import dead_letter_value, parse_dead_letter
from upwell.errors import LogError
from upwell.events import Topic
from upwell.recommendations import DeadLetter
from upwell.schema import event_value, key_of, parse_event

__all__ = ["NOW_MS", "Judge"]

NOW_MS = 1_800_000_000_000
MAX_DETAIL = 600


class Judge:
    """`counts`: inputs, then what became of them; `reasons`: of dead letters and bad lines. folder:
    for the logs.
    """

    def __init__(self, folder: Path) -> None:
        self._log = folder / "fuzzed.log"
        self.counts: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()

    def value(self, topic: Topic, raw: bytes) -> None:
        """One record of Kafka. Also as one that was sent on, which must give the same."""
        self.counts["inputs"] += 1
        decoded = decode(topic, 1, 2, raw, NOW_MS)
        [arrivals, letters] = decode_records(
            [Record(Topic.REROUTED, 1, 2, encode_rerouted(topic, raw), 0)], NOW_MS
        )
        if isinstance(decoded, DeadLetter):
            self.counts["dead_letters"] += 1
            self.reasons[decoded.reason] += 1
            assert not arrivals
            assert [one.reason for one in letters] == [decoded.reason]
            assert len(decoded.detail) <= MAX_DETAIL
            assert len(dead_letter_value(decoded)) < MAX_DERIVED_BYTES
            assert parse_dead_letter(dead_letter_value(decoded)).reason == decoded.reason
        else:
            self.counts["events"] += 1
            assert [one.event for one in arrivals] == [decoded]
            assert not letters
            assert parse_event(topic, event_value(decoded), now_ms=NOW_MS) == decoded
            assert key_of(decoded).encode()

    def log(self, content: bytes) -> None:
        """One log file, read to its end."""
        self.counts["inputs"] += 1
        self._log.write_bytes(content)
        try:
            found = list(read_log(self._log))
        except LogError:
            self.counts["refused_logs"] += 1
            return
        self.counts["logs"] += 1
        for one in found:
            if isinstance(one, LogRecord):
                self.counts["log_records"] += 1
                decode(one.topic, 0, 0, one.value, NOW_MS)
            else:
                self.counts["bad_lines"] += 1
                self.reasons[one.reason] += 1
                assert "\n" not in str(one)
                assert "\x1b" not in str(one)
