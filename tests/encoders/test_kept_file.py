"""Whatever became of the file, nothing fails and no vector is wrong; what does not work is said
once.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from tests.encoders.fakes import Said, holds, kept_vector, key_of, opened, some


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE vectors SET vector = zeroblob(16)",
        "UPDATE vectors SET vector = substr(vector, 1, 12)",
        "UPDATE vectors SET vector = NULL",
        "UPDATE vectors SET key = key || x'00'",
        "UPDATE vectors SET checksum = x'0000000000000000'",
        "UPDATE vectors SET vector = (SELECT vector FROM vectors WHERE place = 2)",
        "UPDATE vectors SET vector = 'text'",
    ],
)
def test_a_row_that_is_not_as_it_was_written_is_not_found_and_written_anew(
    tmp_path: Path, said: Said, damage: str
) -> None:
    with closing(opened(tmp_path)) as kept:
        kept.write(some(1, 2))
    with closing(sqlite3.connect(kept.path)) as other, other:
        other.execute("PRAGMA ignore_check_constraints=1")
        if "NULL" in damage:
            other.executescript(
                "CREATE TABLE v2 (place INTEGER PRIMARY KEY, key BLOB UNIQUE, vector BLOB, "
                "checksum BLOB); INSERT INTO v2 SELECT * FROM vectors; DROP TABLE vectors; "
                "ALTER TABLE v2 RENAME TO vectors;"
            )
        other.execute(f"{damage} WHERE place = 1")
    with closing(opened(tmp_path)) as kept:
        for _ in range(2):
            assert set(kept.read([key_of(1), key_of(2)])) == {key_of(2)}
        kept.write(some(1))
        assert holds(kept, 1, 2)
    if "key =" not in damage:  # under another key nobody asks for it
        assert len(said()) == 1


def torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 + 5])


def overwritten(path: Path) -> None:
    path.write_bytes(b"\xa5" * path.stat().st_size)


def without_table(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("DROP TABLE vectors")
        other.execute("CREATE TABLE vectors (something TEXT)")


def of_another_layout(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("PRAGMA user_version=99")


@pytest.mark.parametrize("damage", [torn, overwritten, without_table, of_another_layout])
def test_a_damaged_file_is_made_anew_and_said_once(
    tmp_path: Path, said: Said, damage: Callable[[Path], None]
) -> None:
    with closing(opened(tmp_path)) as kept:
        kept.write(some(*range(300)))
    damage(kept.path)
    with closing(opened(tmp_path)) as kept:
        found = kept.read([key_of(number) for number in range(300)])
        assert all(
            (found[key_of(n)] == kept_vector(n)).all() for n in range(300) if key_of(n) in found
        )
        kept.write(some(*range(300)))
        if damage is not torn:  # whose end is found when it is read
            assert holds(kept, *range(300))
    assert [line for line in said() if "made anew" not in line] == []
    with closing(opened(tmp_path)) as kept:
        kept.write(some(*range(300)))
        assert holds(kept, *range(300))


def test_a_file_that_breaks_again_is_left(
    tmp_path: Path, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(opened(tmp_path)) as kept:
        for _ in range(3):
            if kept._connection is not None:
                kept._connection.execute("DROP TABLE vectors")
            assert kept.read([key_of(1)]) == {}
        assert not kept.in_use
        kept.write(some(1))
        assert kept.read([key_of(1)]) == {}
    anew, left = said()
    assert "made anew" in anew
    assert "UPWELL_VECTORS" in left


@pytest.mark.parametrize("kind", ["folder is a file", "file is a folder"])
def test_a_place_that_cannot_be_used_is_said_once(tmp_path: Path, said: Said, kind: str) -> None:
    folder = tmp_path / "kept"
    if kind == "folder is a file":
        folder.touch()
    else:
        with closing(opened(folder)) as kept:
            pass
        shutil.rmtree(folder)
        kept.path.mkdir(parents=True)
    with closing(opened(folder)) as kept:
        for _ in range(2):
            kept.write(some(1))
            assert kept.read([key_of(1)]) == {}
            assert len(kept) == 0
        assert not kept.in_use
    [line] = said()
    assert "UPWELL_VECTORS" in line
    assert str(folder) in line


def test_a_full_disk_is_said_once_and_what_is_kept_stays(tmp_path: Path, said: Said) -> None:
    with closing(opened(tmp_path)) as kept:
        kept.write(some(1, 2))
        assert kept._connection is not None
        [pages] = kept._connection.execute("PRAGMA page_count").fetchone()
        kept._connection.execute(f"PRAGMA max_page_count={pages}")
        for _ in range(2):
            kept.write(some(*range(100, 3000)))
        assert not kept.in_use
    [line] = said()
    assert "full" in line
    with closing(opened(tmp_path)) as kept:
        assert holds(kept, 1, 2)
        assert len(kept) == 2


WRITER = """
import sys
from contextlib import closing
from pathlib import Path
from tests.encoders.fakes import holds, opened, some
first = int(sys.argv[2])
with closing(opened(Path(sys.argv[1]))) as kept:
    for number in range(first, first + 300):
        kept.write(some(number, number + 150))
    assert kept.in_use and holds(kept, *range(first, first + 450))
"""


def test_processes_write_at_the_same_time(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", WRITER, str(tmp_path)]
    writers = [
        subprocess.Popen([*command, str(first)], stderr=subprocess.PIPE, text=True)
        for first in (0, 200, 1000)
    ]
    assert [(one.communicate()[1], one.returncode) for one in writers] == [("", 0)] * 3
    with closing(opened(tmp_path)) as kept:
        assert holds(kept, *range(650), *range(1000, 1450))
        assert len(kept) == 650 + 450


def test_threads_share_it(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as kept:

        def work(first: int) -> bool:
            kept.write(some(*range(first, first + 50)))
            return holds(kept, *range(first, first + 50))

        with ThreadPoolExecutor(4) as pool:
            assert all(pool.map(work, range(0, 200, 10)))
        assert len(kept) == 240
