"""One thread for the small matrices of a fit: waking others costs more than they save."""

import contextlib
import ctypes
import functools
import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path

_PREFIX = "scipy_openblas"
_ENDINGS = ("64_", "", "_64_")
_Control = tuple[Callable[[], int], Callable[[int], object]]


@contextlib.contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let the OpenBLAS libraries of numpy and scipy use one thread inside the block.

    A fit makes hundreds of products and factors of a few hundred rows: threads that wait for each
    other there take up to twenty times as long when other programs want the same cores, and the
    order of their sums changes the last bits. Where numpy and scipy use another library nothing is
    changed.
    """
    before = [get() for get, _ in _controls()]
    for _, put in _controls():
        put(1)
    try:
        yield
    finally:
        for (_, put), count in zip(_controls(), before, strict=True):
            put(count)


@contextlib.contextmanager
def one_torch_thread() -> Iterator[None]:
    """Let torch use one thread inside the block, as in a worker, so that sums have one order."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@functools.cache
def _controls() -> tuple[_Control, ...]:
    found = []
    for package in ("numpy", "scipy"):
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            continue
        home = Path(spec.origin).parent
        for folder in (home.parent / f"{package}.libs", home / ".dylibs"):
            found += [_control(path) for path in sorted(folder.glob("*openblas*"))]
    return tuple(control for control in found if control is not None)


def _control(path: Path) -> _Control | None:
    """Return the functions that get and set a library's number of threads."""
    try:
        library = ctypes.CDLL(str(path))
    except OSError:
        return None
    for ending in _ENDINGS:
        get = getattr(library, f"{_PREFIX}_get_num_threads{ending}", None)
        put = getattr(library, f"{_PREFIX}_set_num_threads{ending}", None)
        if get is not None and put is not None:
            get.restype, get.argtypes = ctypes.c_int, []
            put.restype, put.argtypes = None, [ctypes.c_int]
            return get, put
    return None
