"""The tree keeps its shape: tests mirror modules, a folder holds few of them, files are short (ruff
holds the lines). What does not yet, or never will, stands here by name with its reason.
"""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("upwell", "gateway", "stream", "encoders", "learner", "store", "infra")
FOLDERS = (*ROOMS, "tests", "bench", "examples", "recipes")
MOST_MODULES = 15
MOST_LINES = 300

ELSEWHERE = {
    "gateway/calls/users.py": "tests/gateway/test_users.py",
    "gateway/parts.py": "values: every test of the gateway makes them",
    "gateway/ranks.py": "a port and its values: tests/gateway/topics/test_model.py",
    "encoders/pictures/refused.py": "an exception: every test of tests/encoders/pictures",
    "infra/fair_panels.py": "tests/infra/test_panels.py",
    "infra/use_panels.py": "tests/infra/test_panels.py",
    "infra/gateway_panels.py": "tests/infra/test_panels.py",
    "infra/panel.py": "values: tests/infra/test_panels.py, test_dashboards.py",
    "stream/broker/group.py": "tests/stream/broker/test_incarnations.py",
    "stream/broker/topic_settings.py": "tests/stream/broker/test_topics.py",
    "stream/chain/build.py": "tests/stream/test_build.py: the folder of the chain's tests is full",
    "stream/serve/worker.py": "a process: tests/stream/serve/test_faust_app.py, tests/e2e",
    "upwell/ports.py": "protocols: tests/conformance runs them on every adapter",
    "upwell/__main__.py": "the entry point: tests/stream/ops/test_cli.py runs it",
    "upwell/settings/gateway.py": "a group of settings: tests/upwell/settings/test_groups.py",
    "upwell/settings/learner.py": "a group of settings: tests/upwell/settings/test_groups.py",
    "upwell/settings/private.py": "a group of settings: tests/upwell/settings/test_groups.py",
    "upwell/settings/pictures.py": "a group of settings: tests/upwell/settings/test_groups.py",
    "upwell/settings/face.py": "groups of settings: tests/upwell/settings/test_groups.py",
    "store/memory.py": "tests/conformance: the reference of both stores",
    "store/point_store.py": "tests/conformance, by the edge and the server store",
    "store/port.py": "a protocol: tests/conformance",
    "stream/ops/backup/running.py": "tests/stream/ops/test_snapshot.py, on a real broker",
    "stream/ops/backup/fitting.py": "tests/stream/ops/test_snapshot.py, on a real broker",
    "stream/ops/backup/held.py": "tests/stream/ops/test_snapshot.py, on a real broker",
    "stream/ops/backup/bring.py": "tests/stream/ops/test_snapshot.py, tests/e2e/erasures",
    "stream/learn/options.py": "values: tests/stream/learn/test_standby.py, test_erase.py",
    "stream/runs/port.py": "a protocol: tests/stream/runs/test_kinds.py, by each writer",
    "stream/serve/agents.py": "runs in Faust: tests/faults/test_faust_shape.py, tests/e2e",
    "stream/metrics/catalogue.py": "values: tests/stream/metrics/test_registry.py",
    "stream/metrics/fairness.py": "values: tests/stream/metrics/test_registry.py",
    "stream/metrics/privacy.py": "values: tests/stream/metrics/test_registry.py",
    "stream/metrics/quarantine.py": "values: tests/stream/metrics/test_registry.py",
    "stream/metrics/reading.py": "values: tests/stream/metrics/test_registry.py",
    "learner/federated/options.py": "values: tests/learner/federated/test_rounds.py",
    "stream/federate/client.py": "a process: tests/e2e/federated",
    "stream/federate/server.py": "a process: tests/e2e/federated",
    "stream/ops/commands/federate/manual.py": "a table: test_help.py, test_page.py hold it",
    "stream/ops/commands/audit/manual.py": "a table: test_help.py, test_page.py hold it",
    "stream/explain/recorded.py": "tests/stream/explain/test_again.py: what it keeps, read again",
    "stream/explain/report.py": "tests/stream/explain/test_held.py",
    "stream/ops/commands/explain/manual.py": "a table: test_help.py, test_page.py hold it",
    "stream/ops/commands/explain/shown.py": "tests/stream/ops/commands/explain/test_explain.py",
    "stream/ops/commands/review/manual.py": "a table: test_help.py, test_page.py hold it",
    "stream/ops/commands/review/shown.py": "tests/stream/ops/commands/review/test_review.py",
    "stream/ops/review/desk.py": "tests/stream/ops/commands/review/test_review.py, on a broker",
    "stream/ops/review/seen.py": "tests/stream/ops/review/test_queue.py, with the queue",
    "stream/ops/card/data.py": "tests/stream/ops/card/test_gather.py, with the card",
    "stream/ops/card/encoder.py": "tests/stream/ops/card/test_gather.py, with the card",
    "stream/ops/card/page.py": "tests/stream/ops/card/test_gather.py, with the card",
    "stream/ops/commands/explain/card.py": "a command: tests/stream/ops/card/test_gather.py",
    "stream/ops/demo.py": "a command: `make demo`, whose parts have tests of their own",
    "stream/ops/commands/backup.py": "commands: tests/stream/ops/commands/test_json.py, tests/e2e",
    "stream/ops/commands/check.py": "commands: tests/stream/ops/test_cli.py",
    "stream/ops/commands/entry.py": "values: what test_help.py, test_page.py, test_json.py hold",
    "stream/ops/commands/importing.py": "a command: tests/stream/ops/commands/test_json.py",
    "stream/ops/commands/letters.py": "commands: tests/e2e/test_dead_letters.py",
    "stream/ops/commands/lists.py": "commands: tests/stream/ops/commands/test_json.py",
    "stream/ops/commands/manual.py": "a table: test_help.py, test_page.py, test_json.py hold it",
    "stream/ops/commands/users/manual.py": "a table: test_help.py, test_page.py hold it",
    "stream/ops/commands/play.py": "commands: tests/stream/ops/test_cli.py, tests/e2e",
    "stream/ops/round_trip.py": "tests/stream/ops/test_doctor.py",
    "learner/ranking/gate_parameters.py": "tests/learner/ranking/test_parameters.py, test_mute.py",
    "learner/ranking/near.py": "tests/learner/test_large.py: the folder of its tests is full",
    "learner/ranking/lists.py": "tests/learner/ranking/test_ranking.py, test_explore.py",
    "learner/ranking/online.py": "tests/learner/ranking/test_parameters.py, tests/learner/release",
    "learner/training/batch.py": "tests/learner/training/test_trainer.py: what a step looks at",
    "learner/training/objective.py": "tests/learner/training/test_trainer.py: each of its terms",
    "learner/training/warmup.py": "compiles what tests/faults and every start need",
    "upwell/settings/stream.py": "tests/upwell/settings/test_groups.py",
    "stream/ops/commands/recipes/manual.py": "a table: test_help.py, test_page.py hold it",
    "stream/ops/commands/trust/manual.py": "tests/stream/ops/commands: each command's fields",
    "stream/replay/importers/convert.py": "tests/stream/replay/importers: by format",
    "stream/replay/importers/draft.py": "tests/stream/replay/importers: by format",
    "stream/replay/importers/kinds.py": "tests/stream/replay/importers: by format",
    "stream/replay/importers/lastfm.py": "tests/stream/replay/importers: by format",
    "stream/replay/importers/mapping.py": "tests/stream/replay/importers: by format",
    "stream/replay/importers/mind.py": "tests/stream/replay/importers: by format",
    "stream/replay/importers/movielens.py": "tests/stream/replay/importers: by format",
    "stream/replay/importers/order.py": "tests/stream/replay/importers: by format",
    "stream/replay/importers/rechorus.py": "tests/stream/replay/importers: by format",
    "stream/replay/importers/reviews.py": "tests/stream/replay/importers: by format",
    "stream/replay/importers/shops.py": "tests/stream/replay/importers: by format",
    "stream/replay/importers/text.py": "tests/stream/replay/importers: by format",
    "stream/replay/importers/values.py": "tests/stream/replay/importers: by format",
    "upwell/settings/uses.py": "a group of settings: tests/upwell/settings/test_groups.py",
    "upwell/uses/topics.py": "names: tests/upwell/uses/test_tables.py",
    "upwell/uses/desk.py": "values: tests/upwell/uses/test_tables.py",
    "upwell/uses/watch.py": "values: tests/stream/uses/test_watch.py",
    "stream/metrics/uses.py": "values: tests/stream/metrics/test_registry.py",
    "stream/uses/options.py": "values: tests/stream/uses/test_loop.py",
    "stream/uses/port.py": "a protocol: tests/stream/uses/test_loop.py, by the desk",
    "stream/uses/sender.py": "tests/stream/uses/test_loop.py, on a broker",
    "stream/uses/topics.py": "tests/stream/uses/test_loop.py, on a broker",
    "stream/chain/scrub/check_digits.py": "tests/stream/chain/scrub/test_scrubber.py",
    "stream/chain/scrub/folding.py": "tests/stream/chain/scrub/test_scrubber.py",
    "stream/chain/scrub/phones.py": "tests/stream/chain/scrub/test_scrubber.py",
}
"""Modules whose tests have another name, and where those are."""

LONG: dict[str, int] = {
    "upwell/client.py": 405,
    "stream/chain/pipeline.py": 394,
    "tests/encoders/test_worker.py": 323,
    "tests/learner/training/test_trainer.py": 347,
    "tests/stream/chain/test_pipeline.py": 410,
}
"""Files longer than `MOST_LINES`: none may grow, and none that is short again stays listed."""

FULL: dict[str, int] = {}
"""Folders with more than `MOST_MODULES`, likewise."""


def modules(*folders: str) -> list[Path]:
    """Python files below these folders, relative to the root."""
    return sorted(
        path.relative_to(ROOT) for folder in folders for path in (ROOT / folder).rglob("*.py")
    )


def lines(path: Path) -> list[str]:
    return (ROOT / path).read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("room", ROOMS)
def test_each_module_has_a_test_file_of_its_name(room: str) -> None:
    untested = {
        path.as_posix()
        for path in modules(room)
        if path.name != "__init__.py"
        and not (ROOT / "tests" / path.parent / f"test_{path.name}").exists()
    }
    excused = {path for path in ELSEWHERE if path.startswith(f"{room}/")}
    assert sorted(untested - excused) == []
    assert sorted(excused - untested) == [], "these have one now, or are gone: no excuse is needed"


@pytest.mark.parametrize("room", ROOMS)
def test_each_folder_of_tests_stands_for_one_that_there_is(room: str) -> None:
    mirrored = {path.parent for path in modules(f"tests/{room}")}
    assert [
        folder.as_posix()
        for folder in sorted(mirrored)
        if not (ROOT / folder.relative_to("tests")).is_dir()
    ] == []


def test_a_folder_holds_few_modules() -> None:
    counts: dict[str, int] = {}
    for path in modules(*FOLDERS):
        if path.name != "__init__.py":
            counts[path.parent.as_posix()] = counts.get(path.parent.as_posix(), 0) + 1
    assert {folder: count for folder, count in counts.items() if count > MOST_MODULES} == FULL


def test_files_are_short() -> None:
    long = {path.as_posix(): len(lines(path)) for path in modules(*FOLDERS)}
    assert {path: count for path, count in long.items() if count > LONG.get(path, MOST_LINES)} == {}
    assert [path for path in LONG if long.get(path, 0) <= MOST_LINES] == []
