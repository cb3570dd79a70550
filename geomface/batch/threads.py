"""Worker processes of one thread each."""

import contextlib
import os
from collections.abc import Iterator

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
    "IGL_NUM_THREADS",
)
"""Libraries read these when they are loaded; one thread a worker, or workers fight for cores."""

_KEEP_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 31),
    "MALLOC_TOP_PAD_": str(1 << 26),
}
"""glibc gives large arrays back to the system at once and gets them again page by page, for which
workers wait on each other: twice as many page faults for 12 scans. Other systems ignore these."""


@contextlib.contextmanager
def single_threaded_children() -> Iterator[None]:
    """Start processes inside the block with one thread each, and let them keep their memory."""
    wanted = _KEEP_MEMORY | dict.fromkeys(THREAD_VARIABLES, "1")
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
