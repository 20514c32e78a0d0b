"""A user nobody has seen writes one sentence of search and gets the list that fits it.

Run it beside `upwell run`, `upwell replay` or `make demo`:

    python examples/new_user.py "a film about robots in space"
"""

from __future__ import annotations

import os
import sys
import uuid

from upwell import Sentences, UpwellClient, UpwellError, find_broker, load_settings

TIMEOUT_SECONDS = 30.0


def main(sentence: str) -> None:
    user_id = f"new-{uuid.uuid4().hex[:8]}"
    settings = load_settings(os.environ)
    with UpwellClient(find_broker(settings), settings.kafka) as upwell:
        lists = upwell.lists(
            user_id, timeout=TIMEOUT_SECONDS
        )  # positioned before the search, so that its list is not missed
        upwell.query(user_id, sentence)
        upwell.flush()
        fresh = next(lists, None)
        if fresh is None:
            sys.exit(f"no list came within {TIMEOUT_SECONDS:g} s: does a serve worker run?")
        print(f"{user_id} searched for “{sentence}” and got, {fresh.latency_ms} ms later:")
        sentences = Sentences()
        for entry in fresh.items:
            print(f"  {entry.title or entry.item_id}\n      {sentences.of(entry)[0]}")


if __name__ == "__main__":
    try:
        main(" ".join(sys.argv[1:]) or "an animated film for children about animals")
    except UpwellError as exc:
        sys.exit(f"{exc}")
