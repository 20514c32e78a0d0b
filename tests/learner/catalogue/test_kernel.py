"""Arrays that grow: what stood there stays, what is new is zero, and doubling keeps it cheap. And
functions that compile: to what they say in Python.
"""

from __future__ import annotations

import os
import resource
import threading
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

import learner.catalogue.kernel as kernel_module
from learner.catalogue.kernel import _cache_folder, grown, kernel, room, thinly_grown
from upwell.system.lock import lock


def plainly_halved(values: NDArray[np.float64], by: float) -> float:
    """Divides in place; the sum."""
    total = 0.0
    for place in range(len(values)):
        values[place] /= by
        total += values[place]
    return total


halved = kernel(plainly_halved)


def plainly_halved_rows(rows: NDArray[np.float64], of: NDArray[np.int32]) -> float:
    """Calls another kernel, by a constant and by what an array has."""
    total = 0.0
    for place in range(len(of)):
        total += halved(rows[place], of[place])
    return total + halved(rows[0], 2)


CONFIG: Any = numba.config


@given(
    arrays(st.sampled_from([np.bool_, np.int32, np.float32]), array_shapes(min_side=0, max_dims=3)),
    st.integers(0, 12),
    st.data(),
)
def test_what_stood_there_stays_and_what_is_new_is_zero(
    array: NDArray[np.generic], capacity: int, data: st.DataObject
) -> None:
    axis = data.draw(st.integers(0, array.ndim - 1))
    larger = grown(array, capacity, axis)
    size = array.shape[axis]
    assert larger.dtype == array.dtype
    assert larger.shape[axis] == max(size, capacity)
    old, new = np.split(larger, [size], axis)
    np.testing.assert_array_equal(old, array)
    assert not new.any()
    assert capacity > size or larger is array


@given(st.lists(st.integers(1, 500), min_size=1, max_size=200))
def test_there_is_always_room_and_it_is_made_seldom(steps: list[int]) -> None:
    needed, capacity, made = 0, 0, 0
    for step in steps:
        needed += step
        before, capacity = capacity, room(needed, capacity)
        assert capacity >= needed
        made += capacity != before
    assert made <= 1 + np.log2(max(1.0, capacity / 1024)) + 1
    assert room(needed, capacity) == capacity


@given(st.lists(st.floats(-1e6, 1e6), max_size=20), st.floats(0.5, 9.0))
def test_compiled_it_does_what_it_says_to_the_bit(values: list[float], by: float) -> None:
    compiled, plain = np.array(values), np.array(values)
    assert halved(compiled, by) == plainly_halved(plain, by)
    np.testing.assert_array_equal(compiled, plain)


def test_a_division_by_zero_is_infinite() -> None:
    assert halved(np.array([1.0, 2.0]), 0.0) == np.inf


def test_the_machine_code_is_kept_where_numba_is_told_and_its_settings_stay(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(CONFIG, "CACHE_DIR", str(tmp_path))
    again = kernel(plainly_halved)
    again(np.array([1.0]), 2.0)
    assert list(tmp_path.rglob("*.nbc"))
    monkeypatch.setattr(CONFIG, "CACHE_DIR", "")
    kernel(plainly_halved)
    assert CONFIG.CACHE_DIR == ""


def test_a_kernel_that_kernels_call_is_compiled_once_for_all_whole_numbers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(CONFIG, "CACHE_DIR", str(tmp_path))
    monkeypatch.setitem(globals(), "halved", kernel(plainly_halved))
    rows, of = np.arange(1.0, 7.0).reshape(3, 2), np.array([1, 2, 4], np.int32)
    assert kernel(plainly_halved_rows)(rows, of) == 3 / 1 + 7 / 2 + 11 / 4 + 3 / 2
    assert halved(np.array([1.0, 2.0]), 2.0) == 1.5  # and from Python, too
    compiled = [path.name.split("-")[0] for path in sorted(tmp_path.rglob("*.nbc"))]
    assert compiled.count("test_kernel.plainly_halved") == 2
    assert compiled.count("test_kernel.plainly_halved_rows") == 1


def test_machine_code_is_kept_by_one_process_at_a_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(CONFIG, "CACHE_DIR", str(tmp_path))
    again = kernel(plainly_halved)
    held = lock(tmp_path / "saving.lock")
    call = threading.Thread(target=again, args=(np.array([1.0]), 2.0))
    call.start()
    call.join(timeout=5.0)
    assert call.is_alive()
    assert not list(tmp_path.rglob("*.nbc"))
    os.close(held)
    call.join(timeout=60.0)
    assert len(list(tmp_path.rglob("*.nbc"))) == 1


def test_what_was_compiled_is_forgotten_when_any_source_it_may_come_from_changes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder, source = tmp_path / "catalogue", Path(kernel_module.__file__).read_bytes()
    folder.mkdir()
    (folder / "kernel.py").write_bytes(source)
    (folder / "sum.py").write_text("@kernel\ndef total(): ...\n")
    (folder / "net.py").write_text("import torch\n")
    monkeypatch.setattr(kernel_module, "__file__", str(folder / "kernel.py"))
    before = _cache_folder.__wrapped__()
    (folder / "net.py").write_text("import torch  # has no part in it\n")
    assert _cache_folder.__wrapped__() == before
    for name in ("kernel.py", "sum.py"):
        (folder / name).write_bytes((folder / name).read_bytes() + b"# changed\n")
        after = _cache_folder.__wrapped__()
        assert after != before
        before = after


@given(
    arrays(np.int32, array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=9)),
    st.integers(0, 40),
)
def test_a_thin_table_grows_like_another(before: NDArray[np.int32], capacity: int) -> None:
    found = thinly_grown(before, capacity)
    np.testing.assert_array_equal(found, grown(before, capacity))
    assert found.dtype == before.dtype
    found[...] = 1  # it may be written to


def test_growing_a_thin_table_costs_memory_for_written_rows_alone() -> None:
    def resident_mb() -> float:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6

    table, before = np.zeros((0, 256), np.int32), resident_mb()
    for capacity in (100_000, 200_000, 400_000):  # 410 MB
        table = thinly_grown(table, capacity)
        table[capacity - 100 :: 7] = 1
    assert table.sum() > 0
    assert resident_mb() - before < 30
