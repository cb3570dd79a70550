"""One thread for linear algebra, so that the bytes do not depend on the number of workers."""

import contextlib
import ctypes
import importlib.util
import os
from collections.abc import Callable, Iterator
from pathlib import Path

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
    "IGL_NUM_THREADS",
)
"""Libraries read these when they are loaded; one thread a worker, or workers fight for cores."""

_ENDINGS = ("64_", "", "_64_")


@contextlib.contextmanager
def single_threaded_children() -> Iterator[None]:
    """Set the thread variables to 1 for processes started inside the block."""
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextlib.contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let the OpenBLAS libraries of numpy and scipy use one thread inside the block.

    With several threads a sum is split differently, so its last bits differ. Where numpy and scipy
    use another library (or one without these functions) nothing is changed.
    """
    controls = [control for control in map(_control, _openblas_files()) if control is not None]
    before = [get() for get, _ in controls]
    for _, put in controls:
        put(1)
    try:
        yield
    finally:
        for (_, put), count in zip(controls, before, strict=True):
            put(count)


def _openblas_files() -> list[Path]:
    """Return the OpenBLAS libraries inside the wheels of numpy and scipy."""
    files: list[Path] = []
    for package in ("numpy", "scipy"):
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            continue
        home = Path(spec.origin).parent
        for folder in (home.parent / f"{package}.libs", home / ".dylibs"):
            files += sorted(folder.glob("*openblas*"))
    return files


def _control(path: Path) -> tuple[Callable[[], int], Callable[[int], object]] | None:
    """Return the functions that get and set a library's number of threads."""
    try:
        library = ctypes.CDLL(str(path))
    except OSError:
        return None
    for ending in _ENDINGS:
        try:
            get = getattr(library, f"scipy_openblas_get_num_threads{ending}")
            put = getattr(library, f"scipy_openblas_set_num_threads{ending}")
        except AttributeError:
            continue
        get.restype, get.argtypes = ctypes.c_int, []
        put.restype, put.argtypes = None, [ctypes.c_int]
        return get, put
    return None
