"""Compiled functions over plain arrays, and arrays that grow.

It knows nothing about what they compute.
"""

from __future__ import annotations

import functools
import hashlib
import mmap
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

from upwell.system.lock import lock

__all__ = ["grown", "kernel", "kernels_folder", "lent", "room", "summing", "thinly_grown"]

_Function = TypeVar("_Function", bound=Callable[..., Any])
_DIGEST_LENGTH = 16
_SMALLEST_CAPACITY = 1024
_KERNEL = re.compile(rb"^@(kernel|lent|summing)$", re.MULTILINE)
_TORCH = re.compile(rb"^\s*(import|from) torch\b", re.MULTILINE)
_PAGE_BYTES = 1 << 14  # that are copied together, where one of them is not zero


@functools.cache
def _cache_folder() -> str:
    """Numba looks only at the file of the outermost function, so a changed callee, or a changed
    constant, would run stale: the folder names all sources of the rooms that have kernels.
    """
    digest = hashlib.sha256(numba.__version__.encode())
    sources = {path: path.read_bytes() for path in Path(__file__).parents[1].rglob("*.py")}
    rooms = {path.parent for path, source in sources.items() if _KERNEL.search(source)}
    for path, source in sorted(sources.items()):
        if path.parent in rooms and not _TORCH.search(source):
            digest.update(source)
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return str(base / "upwell" / "kernels" / digest.hexdigest()[:_DIGEST_LENGTH])


def kernels_folder() -> Path:
    """Where machine code is kept: `NUMBA_CACHE_DIR`, else in the user's cache."""
    config: Any = numba.config
    return Path(config.CACHE_DIR or _cache_folder())


def kernel(function: _Function) -> _Function:
    """Compiles at the first call, releases the interpreter's lock while it runs, keeps the machine
    code on disk.
    """
    return _compiled(function, False)


def lent(function: _Function) -> _Function:
    """A kernel that makes no array and returns none: it counts no references to those it is given,
    which took 40 % of the time of `learner.catalogue.nearest.join`.
    """
    return _compiled(function, False, counted=False)


def summing(function: _Function) -> _Function:
    """A kernel whose sums may be taken in any order, several numbers at a time."""
    return _compiled(function, {"reassoc", "contract", "nsz"}, counted=False)


def _compiled(function: _Function, fastmath: bool | set[str], *, counted: bool = True) -> _Function:
    """Numba makes for each signature two entries, from Python and from C, which unpack tuples of
    forty arrays. Here none is made for C, and one for Python where it is called from there; whole
    numbers are one type. All kernels took 232 s of CPU before, and take 123 (2 x AMD EPYC, Zen 3,
    2026-11-30).
    """
    options = {
        "cache": True,
        "nogil": True,
        "error_model": "numpy",
        "fastmath": fastmath,
        "no_cfunc_wrapper": True,
        "_nrt": counted,
    }
    from_python = _kept(function, options, "")
    from_kernels = _kept(function, {**options, "no_cpython_wrapper": True}, "within")

    def called(args: tuple[Any, ...], kws: dict[str, Any]) -> Any:
        widened = {name: _widened(kind) for name, kind in kws.items()}
        return from_kernels.get_call_template(tuple(map(_widened, args)), widened)

    from_python.get_call_template = called
    from_python.get_overload = from_kernels.get_overload
    return cast(_Function, from_python)


def _kept(function: Callable[..., Any], options: dict[str, Any], part: str) -> Any:
    config: Any = numba.config
    njit: Any = numba.njit
    folder, before = kernels_folder(), config.CACHE_DIR
    config.CACHE_DIR = str(folder / part)
    try:
        compiled = njit(**options)(function)
    finally:
        config.CACHE_DIR = before
    cache = compiled._cache  # noqa: SLF001 -- numba has no hook for it
    cache.save_overload = _one_at_a_time(cache.save_overload, folder)
    return compiled


def _one_at_a_time(save: Callable[..., None], folder: Path) -> Callable[..., None]:
    """Numba reads a kernel's index, takes the next number, writes both index and code: of two
    processes at once one's code would stand under the other's signature.
    """

    def saved(*args: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        held = lock(folder / "saving.lock")
        try:
            save(*args)
        finally:
            os.close(held)

    return saved


def _widened(kind: Any) -> Any:
    """Of an argument of a kernel that another one calls."""
    types: Any = numba.types
    kind = types.unliteral(kind)
    return types.int64 if kind == types.int32 else kind


def room(needed: int, capacity: int) -> int:
    """A capacity of at least `needed`, at least doubled where the present one is too small."""
    return capacity if needed <= capacity else max(needed, 2 * capacity, _SMALLEST_CAPACITY)


def grown(array: NDArray[Any], capacity: int, axis: int = 0) -> NDArray[Any]:
    """The array with `capacity` places along `axis`, new ones zero (and costing no memory until
    they are touched).
    """
    shape = list(array.shape)
    if shape[axis] >= capacity:
        return array
    filled = tuple(slice(0, length) for length in array.shape)
    shape[axis] = capacity
    larger = np.zeros(shape, array.dtype)
    larger[filled] = array
    return larger


def thinly_grown(array: NDArray[Any], capacity: int) -> NDArray[Any]:
    """Likewise along the first axis, for a table of which few rows are ever written: only these
    cost memory. NumPy asks for pages of 2 MB, so 500 rows of 1 kB among a million cost 638 MB, and
    a plain copy of zeros costs all of them.
    """
    if len(array) >= capacity:
        return array
    width = array[:1].size if len(array) else int(np.prod(array.shape[1:]))
    pages = mmap.mmap(
        -1,
        max(1, capacity * width * array.itemsize),
        flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS,  # of shared ones a look costs memory, too
    )
    if hasattr(mmap, "MADV_NOHUGEPAGE"):
        pages.madvise(mmap.MADV_NOHUGEPAGE)
    larger = np.frombuffer(pages, array.dtype, capacity * width).reshape(capacity, *array.shape[1:])
    step = max(1, _PAGE_BYTES // max(1, width * array.itemsize))
    for start in range(0, len(array), step):
        some = array[start : start + step]
        if some.any():
            larger[start : start + len(some)] = some
    return larger
