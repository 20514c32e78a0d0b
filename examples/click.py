"""An app in thirty lines: shows a user's list, clicks its first item, shows the list that this
click changed.

Run it beside `upwell run`, `upwell replay` or `make demo`:  python examples/click.py [USER]
"""

from __future__ import annotations

import os
import sys

from upwell import (
    Recommendations,
    Sentences,
    UpwellClient,
    UpwellError,
    find_broker,
    load_settings,
)

TIMEOUT_SECONDS = 30.0


def main(user_id: str) -> None:
    settings = load_settings(os.environ)
    with UpwellClient(find_broker(settings), settings.kafka) as upwell:
        before = upwell.request_list(user_id, k=5, timeout=TIMEOUT_SECONDS)
        show(f"{user_id}'s list", before)
        if not before.items:
            sys.exit("the catalogue is empty: replay a log first (upwell replay LOG)")
        lists = upwell.lists(
            user_id, timeout=TIMEOUT_SECONDS
        )  # positioned now: the click's list cannot be missed
        click = upwell.click(user_id, before.items[0].item_id)
        upwell.flush()
        after = next((fresh for fresh in lists if fresh.trigger == click.event_id), None)
        if after is None:
            sys.exit(f"no list came within {TIMEOUT_SECONDS:g} s: does a serve worker run?")
        show(
            f"after a click on {before.items[0].title or before.items[0].item_id}, "
            f"{after.latency_ms} ms later",
            after,
        )


def show(title: str, recommendations: Recommendations) -> None:
    print(f"\n{title}")
    sentences = Sentences()
    for entry in recommendations.items[:5]:
        print(f"  {entry.title or entry.item_id}\n      {sentences.of(entry)[0]}")


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else "example-user")
    except UpwellError as exc:
        sys.exit(f"{exc}")
