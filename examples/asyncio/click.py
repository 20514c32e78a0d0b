"""A like, and the list that answers it, on asyncio: `python click.py [USER [ITEM]]`.

UPWELL_KAFKA: the broker's address, which `upwell run` shows. UPWELL_PREFIX: of the topics.
"""

from __future__ import annotations

import asyncio
import os
import sys

from upwell import AsyncUpwellClient, find_broker, load_settings


async def like(user: str, item: str) -> bool:
    settings = load_settings(os.environ)
    async with AsyncUpwellClient(find_broker(settings), settings.kafka) as upwell:
        # What is published from here on is not missed.
        lists = await upwell.lists(user, timeout=30)
        liked = await upwell.click(user, item, "like")
        async for found in lists:
            if found.trigger != liked.event_id:
                continue
            for entry in found.items:
                reason = next(iter(entry.reasons), None)  # a first suggestion has none
                print(entry.title or entry.item_id)
                signal, because = (reason.signal, reason.because) if reason else ("-", None)
                print(f"    {signal}: {because or '-'}")
            return True
    return False


if __name__ == "__main__":
    user, item = (sys.argv[1:] + ["ann", "1"][len(sys.argv) - 1 :])[:2]
    if not asyncio.run(like(user, item)):
        sys.exit("no list within 30 s: does `upwell run` run?")
