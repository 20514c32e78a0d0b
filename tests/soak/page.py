"""A page that is open for an hour: python -m tests.soak.page [--minutes 60] [--rate 200].

A real engine with its language model, `upwell serve` and the live page in headless Chromium, on a
small catalogue, under a steady stream of events, some of them of the user whose page is open, a few
of them no events. Each minute somebody likes an item on the page and searches. Sampled each minute,
after a collection: the page's JavaScript heap, nodes and listeners; resident memory of gateway,
serve and learn; what waits for serve. After ten minutes, in which caches fill, none may grow by
more than its bound. Prints a line a minute and a table, then one JSON object as the last line; ends
with 1 where something grew, fell or stood still.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any

import httpx
import orjson
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from playwright.sync_api import Page, expect, sync_playwright
from rich.console import Console
from rich.table import Table

from bench.hardware import hardware
from bench.speed.proc import memory_mb
from infra.kafka import KafkaBroker
from stream.replay.log import LogRecord
from stream.replay.player import Pace, Player
from tests.e2e.engine import Engine, bundled_log, wait_until
from tests.soak.growth import Judged, judged
from upwell.events import Topic

__all__ = ["BOUNDS", "Meter", "stream_of"]

PREFIX = "upwell."
USERS, RATINGS = 300, 2_000
WATCHED = "watched"
WATCHED_EVERY, WRONG_EVERY = 50, 1_000
MET = 4
"""Of so many items the events are about one: in an hour a user meets all of them, and the rest is
what there is to list.
"""
ACTIONS = ("view", "view", "click", "click", "like", "skip")
SETTLE_MINUTES = 10.0
KEPT_UP_SECONDS = 10.0
"""Of the stream that may wait at the end."""
LIST_BYTES = 64 << 20
"""Of lists that a partition keeps: an hour's are gigabytes, and nobody reads them here."""
LISTENS = re.compile(r"listens on (http://127\.0\.0\.1:\d+)")
PATIENCE_MS = 120_000
READY_SECONDS = 600.0
"""On a machine that compiles the kernels first."""
BOUNDS = {
    "heap_mb": 1.0,
    "nodes": 100.0,
    "listeners": 100.0,
    "gateway_mb": 15.0,
    "serve_mb": 60.0,
    "learn_mb": 60.0,
}
"""Growth an hour. At its bound a page that is open from Monday to Friday has grown by less than
what a tab of any site takes.
"""
screen = Console(stderr=True, width=110)


class Meter:
    """What a page holds in Chromium."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)
        self._session.send("Performance.enable")

    def figures(self) -> dict[str, float]:
        """heap_mb, nodes, listeners: what is left after a collection."""
        self._session.send("HeapProfiler.collectGarbage")
        told = self._session.send("Performance.getMetrics")["metrics"]
        found = {one["name"]: one["value"] for one in told}
        return {
            "heap_mb": round(found["JSHeapUsedSize"] / 1e6, 3),
            "nodes": found["Nodes"],
            "listeners": found["JSEventListeners"],
        }


def stream_of(item_ids: Sequence[str], random: Random) -> Iterator[LogRecord]:
    """Events without end: of users drawn by lot, every fiftieth of the one whose page is open,
    every thousandth no event.
    """
    number = 0
    while True:
        number += 1
        user = f"u{random.randrange(USERS)}" if number % WATCHED_EVERY else WATCHED
        value = {
            "event_id": f"soak-{number}",
            "ts": time.time_ns() // 1_000_000,
            "user_id": user,
            "item_id": random.choice(item_ids),
            "action": random.choice(ACTIONS),
        }
        raw = orjson.dumps(value) if number % WRONG_EVERY else b"no event"
        yield LogRecord(number, Topic.CLICKS, user.encode(), raw)


@contextmanager
def playing(engine: Engine, records: Iterator[LogRecord], rate: float) -> Iterator[Player]:
    """The stream, on a thread of its own; its failure is raised at the end."""
    over, failures = threading.Event(), list[BaseException]()
    player = Player(engine.client, PREFIX, lambda bad: None, lambda: None)

    def until_over() -> Iterator[LogRecord]:
        for record in records:
            if over.is_set():
                return
            yield record

    def play() -> None:
        try:
            player.play(until_over(), Pace(rate=rate))
        except BaseException as exc:
            failures.append(exc)

    thread = threading.Thread(target=play, daemon=True)
    thread.start()
    try:
        yield player
    finally:
        over.set()
        thread.join()
        player.__exit__()
    if failures:
        raise failures[0]


def ready(said: Path) -> bool:
    """Whether the gateway that says so is ready."""
    found = LISTENS.search(said.read_text())
    return found is not None and httpx.get(f"{found[1]}/readyz", timeout=60.0).is_success


@contextmanager
def gateway(engine: Engine, folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """`upwell serve` beside the engine: its address, once it is ready."""
    said = folder / "gateway.log"
    environ = {
        "UPWELL_KAFKA": str(engine.settings.kafka.address),
        "UPWELL_PREFIX": PREFIX,
        "UPWELL_DATA": str(engine.settings.data),
    }
    with said.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "upwell", "serve", "--port", "0"],
            env={**os.environ, **environ},
            stdout=output,
            stderr=output,
        )
    try:
        wait_until(lambda: ready(said), f"the gateway; see {said.read_text()}", READY_SECONDS)
        yield LISTENS.findall(said.read_text())[0], process
    finally:
        process.terminate()
        process.wait()


def keep_few_lists(client: dict[str, Any]) -> None:
    """As an operator whose disk is small."""
    admin = KafkaAdminClient(**client)
    settings = {"retention.bytes": str(LIST_BYTES), "segment.bytes": str(LIST_BYTES // 4)}
    topic = ConfigResource(ConfigResourceType.TOPIC, PREFIX + Topic.RECOMMENDATIONS, settings)
    admin.alter_configs([topic])
    admin.close()


def use(page: Page, minute: int) -> None:
    """What a person does: looks for a title, likes what is found, and waits for the list."""
    page.get_by_label("Titles with these words").fill(("star", "love", "toy", "man")[minute % 4])
    liked = page.locator("#catalogue li").first.get_by_role("button", name=re.compile("^liked"))
    liked.click()
    expect(page.locator("#list > li").first).to_be_visible(timeout=PATIENCE_MS)


def opened(stack: ExitStack, address: str) -> tuple[Page, list[str]]:
    """The page of the watched user, and what goes wrong in it."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        raise SystemExit("tests/soak/page.py: no chromium: apt-get install chromium")
    playwright = stack.enter_context(sync_playwright())
    browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.set_default_timeout(PATIENCE_MS)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"{address}/#{WATCHED}")
    return page, faults


def soak(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Samples, what was judged of them, and how much went through."""
    items, _ = bundled_log(RATINGS)
    random = Random(arguments.seed)
    ids = [str(orjson.loads(one.value)["item_id"]) for one in items]
    records = stream_of(ids[: len(ids) // MET], random)
    with ExitStack() as stack:
        broker = stack.enter_context(KafkaBroker(folder / "kafka"))
        # the fused model learns too; its kernels and threads are the product's own
        engine = stack.enter_context(
            Engine(broker.address, PREFIX, folder / "data", UPWELL_FUSED="on")
        )
        keep_few_lists(engine.client)
        with Player(engine.client, PREFIX, lambda bad: None, lambda: None) as player:
            player.play(items, Pace())
        engine.wait(engine.settled, "the catalogue")
        address, process = stack.enter_context(gateway(engine, folder))
        page, faults = opened(stack, address)
        started = dict(engine.supervisor.pids)
        pids = {**started, "gateway": process.pid}
        with playing(engine, records, arguments.rate) as playing_now:
            expect(page.locator("#list > li").first).to_be_visible(timeout=PATIENCE_MS)
            samples = sampled(arguments, engine, page, pids)
            played = playing_now.sent
        assert dict(engine.supervisor.pids) == started, "a worker fell and was started again"
        assert process.poll() is None, "the gateway fell"
        assert faults == [], faults
        return {"samples": samples, "events": played, "items": len(items)}


def sampled(
    arguments: argparse.Namespace, engine: Engine, page: Page, pids: dict[str, int]
) -> list[dict[str, float]]:
    """One at the start, then each minute, oftener in a run of few."""
    meter, began, samples = Meter(page), time.monotonic(), list[dict[str, float]]()
    every = min(60.0, 6.0 * arguments.minutes)
    while (minute := (time.monotonic() - began) / 60) <= arguments.minutes:
        engine.supervisor.check()
        use(page, len(samples))
        figures = meter.figures()
        figures |= {f"{name}_mb": memory_mb(pid)["Rss"] for name, pid in pids.items()}
        samples.append({"minute": round(minute, 2), **figures, "waiting": engine.lag.behind()})
        screen.print("  ".join(f"{name} {one:g}" for name, one in samples[-1].items()))
        left = began + every * len(samples) - time.monotonic()
        page.wait_for_timeout(max(1.0, 1000 * left))
    return samples


def show(found: dict[str, Judged]) -> None:
    table = Table("", "settled", "at the end", "an hour", "at most", "holds")
    for name, one in found.items():
        told = {True: "yes", False: "NO", None: "too short to tell"}[one.holds]
        cells = (one.first, one.last, one.per_hour, one.bound)
        table.add_row(name, *(f"{cell:,.2f}" for cell in cells), told)
    screen.print(table)


def main() -> None:
    """Run it, print, judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=200.0)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = soak(arguments, Path(folder))
    settle = min(SETTLE_MINUTES, arguments.minutes / 2)
    found = judged(result["samples"], BOUNDS, settle)
    show(found)
    kept_up = result["samples"][-1]["waiting"] <= KEPT_UP_SECONDS * arguments.rate
    if not kept_up:
        screen.print("serve did not keep up with the stream: give it a core of its own")
    told = {
        **vars(arguments),
        "kept_up": kept_up,
        "settle_minutes": settle,
        "hardware": hardware(),
        **result,
        "judged": {name: asdict(one) for name, one in found.items()},
    }
    sys.stdout.write(orjson.dumps(told).decode() + "\n")
    sys.exit(not kept_up or any(one.holds is False for one in found.values()))


if __name__ == "__main__":
    main()
