"""Memory that is freed and wanted again at every step stays with the process."""

import ctypes
import functools
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of glibc's mallopt
_LARGEST = 2**31 - 1


@functools.cache
def keep_freed_memory() -> bool:
    """Let the C library keep what tensors free, for the next step; says whether it does.

    glibc gives blocks over 32 MB back to the system at once, which clears each page when it is
    wanted again: for maps of that size this takes longer than an activation or a normalisation.

    Returns
    -------
    False where the C library is another one, which is left as it is
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(_MMAP_THRESHOLD, 2**30)) and bool(mallopt(_TRIM_THRESHOLD, _LARGEST))
