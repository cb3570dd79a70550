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
