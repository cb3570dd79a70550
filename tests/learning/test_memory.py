"""Freed memory stays with a training."""

import subprocess
import sys

import pytest

from geomface.learning import memory

AGAIN = """
import ctypes
import resource

from geomface.learning import memory

kept = memory.keep_freed_memory()
library, size = ctypes.CDLL(None), 64 * 2**20
library.malloc.restype, library.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
library.malloc.argtypes = [ctypes.c_size_t]
faults = []
for _ in range(2):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    block = library.malloc(size)
    ctypes.memset(block, 1, size)
    library.free(block)
    faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
print(kept, faults[1])
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc is Linux's")
def test_large_blocks_are_not_cleared_anew() -> None:
    """A block of 64 MB that is freed and wanted again has its pages already.

    In a process of its own: after other tests free blocks lie scattered, and the second time
    another one may be taken than the first.
    """
    told = subprocess.run([sys.executable, "-c", AGAIN], capture_output=True, text=True, check=True)
    kept, faults = told.stdout.split()
    if kept == "False":
        pytest.skip("the C library is not glibc")
    assert int(faults) < 100  # 16,384 pages, or 32 large ones, were they given back


def test_other_libraries_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory.sys, "platform", "win32")
    assert memory.keep_freed_memory.__wrapped__() is False
