"""Freed memory stays with a training."""

import ctypes
import resource
import sys

import pytest

from geomface.learning import memory


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc is Linux's")
def test_large_blocks_are_not_cleared_anew() -> None:
    """A block of 64 MB that is freed and wanted again has its pages already."""
    if not memory.keep_freed_memory():
        pytest.skip("the C library is not glibc")
    library, size = ctypes.CDLL(None), 64 * 2**20
    library.malloc.restype, library.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    library.malloc.argtypes = [ctypes.c_size_t]

    def faults() -> int:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        block = library.malloc(size)
        ctypes.memset(block, 1, size)
        library.free(block)
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

    faults()
    assert faults() < 100  # 16,384 pages, or 32 large ones, were they given back


def test_other_libraries_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory.sys, "platform", "win32")
    assert memory.keep_freed_memory.__wrapped__() is False
